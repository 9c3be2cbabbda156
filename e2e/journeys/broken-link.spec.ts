import AxeBuilder from '@axe-core/playwright';
import { expect, test } from '@playwright/test';
import { LabPage } from '../pages/lab-page.ts';

/** Boots a build to where it comes, and looks at the present. */
async function bootBuild(lab: LabPage, choice: string): Promise<void> {
  await lab.openLink(`patches=${encodeURIComponent(choice)}`);
  await lab.page
    .getByRole('dialog', { name: 'Patch board' })
    .getByRole('button', { name: /Boot to L2/ })
    .click();
  await lab.goLive();
  await expect.poll(() => lab.settledLive(), { timeout: 30_000 }).toBe(true);
}

test('a build whose open fails: the missing guest says why, the event is one press away, and scrubbing back repairs it', async ({
  page,
}) => {
  const lab = new LabPage(page);
  await bootBuild(lab, 'without=1');
  const stage = page.getByRole('toolbar', { name: 'Nested machines' });
  const reason = stage.getByRole('button', { name: /L2 guest is not there/ });
  await expect(reason).toContainText('open failed · ENODEV');
  await expect(reason).toHaveAccessibleName(/Fail to setup CXL accel regs/);
  await expect(stage.locator('[data-cut="open"]')).toBeVisible();

  await reason.click();
  const inspector = page.getByRole('region', { name: 'Inspector' });
  await expect(inspector).toContainText('vfio_cxl_core_enable');
  await page.getByText('Machines as a list').click();
  await expect(page.getByText(/Broken here: 0000:0d:00.0: open failed, ENODEV/)).toBeVisible();
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map((one) => one.id)).toEqual([]);

  await page.getByRole('button', { name: 'Previous command' }).click();
  await expect(stage.locator('[data-cut]')).toHaveCount(0);
  await expect(page.getByText('Broken here')).toHaveCount(0);
  expect(lab.problems).toEqual([]);
});

test('a build that maps the memory elsewhere: the thread is cut, L2’s lane ends in a cross, and the chain says why', async ({
  page,
}) => {
  const lab = new LabPage(page);
  await bootBuild(lab, 'qemu=branch');
  const stage = page.getByRole('toolbar', { name: 'Nested machines' });
  await expect(stage.locator('[data-cut="memory"]')).toBeVisible();
  await expect(stage.getByRole('button', { name: /Broken: 0000:0d:00.0: memory not reached/ })).toBeVisible();
  const addresses = page.getByRole('region', { name: 'Addresses' });
  await addresses.getByRole('button', { name: /memory not reached · L1 QEMU/ }).click();
  await expect(addresses).toContainText('Ends here.');
  await expect(addresses).toContainText('no memory slot maps it');
  expect(lab.problems).toEqual([]);
});
