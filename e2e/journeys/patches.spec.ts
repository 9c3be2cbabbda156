import AxeBuilder from '@axe-core/playwright';
import { expect, test } from '@playwright/test';
import { LabPage } from '../pages/lab-page.ts';

test('a link opens the board with a build; trying it shows where it stops; all switches compute', async ({ page }) => {
  const lab = new LabPage(page);
  await lab.openLink(`patches=${encodeURIComponent('without=8')}`);
  const board = page.getByRole('dialog', { name: 'Patch board' });
  await expect(board.getByRole('checkbox', { name: /^08/ })).not.toBeChecked();
  await board.getByRole('button', { name: 'Try this build' }).click();
  await expect(board.getByRole('status')).toContainText('Stops at L2 probe, l2 kernel, ENOMEM', { timeout: 30_000 });
  await expect(board.getByRole('status')).toContainText('no CXL window for range');

  await board.getByRole('checkbox', { name: /^06/ }).uncheck();
  await expect(board.getByText('does not link while they are in')).toBeVisible();
  await board.getByRole('button', { name: 'Back to the whole series' }).click();
  await board.getByRole('button', { name: 'Try this build' }).click();
  await expect(board.getByRole('status')).toContainText('reaches the accelerator’s memory', { timeout: 30_000 });

  const { violations } = await new AxeBuilder({ page }).include('[role=dialog]').analyze();
  expect(violations.map((one) => one.id)).toEqual([]);

  await board.getByRole('tab', { name: 'All single switches' }).click();
  await board.getByRole('button', { name: 'Compute all' }).click();
  await expect(board.getByRole('button', { name: 'Compute again' })).toBeVisible({ timeout: 60_000 });
  await expect(board.getByRole('row', { name: /^02/ })).toContainText('cxl_get_hdm_info');
  await expect(board.getByRole('row', { name: /^all/ })).toContainText('reaches the memory');
  expect(await board.getByRole('row').count()).toBeGreaterThan(16);

  await board.getByRole('tab', { name: 'RFC and 2026' }).click();
  await expect(board.getByRole('row', { name: /Driver that binds/ })).toContainText('L1 vfio-pci');
  expect(lab.problems).toEqual([]);
});

test('a bad build in a link is said in one sentence', async ({ page }) => {
  const lab = new LabPage(page);
  await lab.openLink(`patches=${encodeURIComponent('without=77')}`);
  await expect(page.getByRole('dialog').getByRole('alert')).toContainText('patches are 1 to 13');
});

test('after the boot the exit meter and the ownership table say what commands and registers cost', async ({ page }) => {
  const lab = new LabPage(page);
  await lab.open();
  await lab.bootToL2();
  const command = async (name: string) => {
    await page.keyboard.press('Control+Shift+P');
    await page.getByRole('option', { name }).click();
  };
  await command('Exit meter');
  await expect(
    page
      .getByRole('dialog')
      .getByRole('row', { name: /modprobe cxl-accel/ })
      .last(),
  ).toContainText('9');
  await page.keyboard.press('Escape');
  await command('Who owns each register');
  const table = page.getByRole('dialog');
  await expect(table.getByRole('status')).toHaveText(/^\d+ registers$/, { timeout: 60_000 });
  await table.getByLabel('Filter').fill('BASE_HI0');
  await expect(table.getByRole('row', { name: /BASE_HI0/ })).toContainText('shadow of the HDM block');
  const { violations } = await new AxeBuilder({ page }).include('[role=dialog]').analyze();
  expect(violations.map((one) => one.id)).toEqual([]);
  await page.keyboard.press('Escape');

  await command('VFIO structures');
  await page.getByRole('dialog').getByRole('button', { name: 'GET_REGION_INFO index 9' }).click();
  await expect(page.getByRole('dialog').getByRole('row', { name: /cap_type\.type/ })).toContainText('0x80001e98');
  expect(lab.problems).toEqual([]);
});
