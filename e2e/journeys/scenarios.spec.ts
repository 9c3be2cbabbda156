import AxeBuilder from '@axe-core/playwright';
import { expect, test } from '@playwright/test';
import { LabPage } from '../pages/lab-page.ts';

test('a scenario of the gallery plays in a fresh session, and the session before it can be opened again', async ({
  page,
}) => {
  const lab = new LabPage(page);
  await lab.open();
  await lab.type('host', 'echo before the scenario');
  await lab.expectOutput('host', /^before the scenario/m);
  await page.getByRole('button', { name: 'Scenarios' }).first().click();
  await expect(page.getByRole('dialog', { name: 'Scenarios' })).toBeVisible();
  const { violations } = await new AxeBuilder({ page }).include('[role=dialog]').analyze();
  expect(violations.map((one) => one.id)).toEqual([]);
  await page.getByRole('button', { name: 'Play: Two root ports under one bridge' }).click();
  await lab.playedToTheEnd();
  const stage = page.getByRole('region', { name: 'Machines' });
  await expect(stage).toContainText('2 ways × 4 KiB');
  expect(await lab.output('host')).not.toMatch(/before the scenario/);

  await page.keyboard.press('Control+Shift+P');
  await page.getByPlaceholder('Type a command or a device').fill('before the scenario');
  await page.keyboard.press('Enter');
  await lab.expectOutput('host', /^before the scenario/m);
  expect(lab.problems).toEqual([]);
});

test('an address is followed from the window to its device, and granules show whose it is', async ({ page }) => {
  const lab = new LabPage(page);
  await lab.openLink('scenario=two-bridges');
  await lab.playedToTheEnd();
  await page.keyboard.press('Alt+2');
  const addresses = page.getByRole('region', { name: 'Addresses' });
  await addresses.getByRole('textbox', { name: 'Address to follow' }).fill('0x490000100');
  await addresses.getByRole('textbox', { name: 'Address to follow' }).press('Enter');
  await addresses.getByRole('button', { name: 'Decoders' }).click();
  await expect(addresses).toContainText('(0x490000100 / 256) mod 2 = 1');
  await expect(addresses).toContainText('of cxl-mem1');
  await addresses.getByRole('button', { name: 'Granules' }).click();
  await expect(addresses.locator('title', { hasText: '0x490000100 … 0x4900001ff → cxl-mem1 DPA 0x0' })).toHaveCount(1);
  await addresses.getByRole('button', { name: 'Whole space' }).click();
  await expect(addresses).toContainText('granules to a pixel here');
  expect(lab.problems).toEqual([]);
});

test('a stage of sixty-four devices has no label over another, at any zoom', async ({ page }) => {
  const lab = new LabPage(page);
  await lab.openLink('scenario=sixty-four');
  await lab.playedToTheEnd();
  const stage = page.getByRole('region', { name: 'Machines' });
  await expect(stage).toContainText('region1');
  for (const zoom of [0, 2, 3]) {
    for (let n = 0; n < zoom; n++) await stage.getByRole('button', { name: 'Zoom in' }).click();
    const labels = await lab.labelBoxes(stage.locator('svg[role=toolbar]'));
    expect(labels.length).toBeGreaterThan(30);
    const over: string[] = [];
    labels.forEach((one, n) => {
      for (const other of labels.slice(n + 1))
        if (
          one.left < other.right - 1 &&
          other.left < one.right - 1 &&
          one.top < other.bottom - 2 &&
          other.top < one.bottom - 2
        )
          over.push(`“${one.text}” over “${other.text}” at zoom ${zoom}`);
    });
    expect(over).toEqual([]);
  }
  // Zoomed in, every device is a box of its own.
  await expect(stage.locator('[data-node][data-kind=memory]')).toHaveCount(64);
  await stage.getByRole('button', { name: 'Fit' }).click();
  expect(lab.problems).toEqual([]);
});

test('a link to a scenario that does not exist says so', async ({ page }) => {
  const lab = new LabPage(page);
  await lab.openLink('scenario=nothing-of-the-kind');
  await expect(page.getByText(/asks for a scenario “nothing-of-the-kind”/)).toBeAttached();
  await expect(page.getByRole('dialog', { name: 'Scenarios' })).toBeVisible();
});
