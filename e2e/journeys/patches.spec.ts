import AxeBuilder from '@axe-core/playwright';
import { expect, test } from '@playwright/test';
import { LabPage } from '../pages/lab-page.ts';

test('a link opens the board with a build; trying it shows where it stops; all switches compute', async ({ page }) => {
  // A hundred builds are booted: each step waits for progress, this is for a machine that is very busy.
  test.setTimeout(600_000);
  const lab = new LabPage(page);
  await lab.openLink(`patches=${encodeURIComponent('without=8')}`);
  const board = page.getByRole('dialog', { name: 'Patch board' });
  await expect(board.getByRole('checkbox', { name: /^08/ })).not.toBeChecked();
  await board.getByRole('button', { name: 'Try this build' }).click();
  await expect(board.getByRole('status')).toContainText('Stops at L2 probe: L2’s kernel, ENOMEM', { timeout: 30_000 });
  await expect(board.getByRole('status')).toContainText('no CXL window for range');

  await board.getByRole('checkbox', { name: /^06/ }).uncheck();
  await expect(board.getByText('does not link while 07 call it')).toBeVisible();
  await board.getByRole('button', { name: 'Back to the whole series' }).click();
  await board.getByRole('button', { name: 'Try this build' }).click();
  await expect(board.getByRole('status')).toContainText('reaches the accelerator’s memory', { timeout: 30_000 });

  const { violations } = await new AxeBuilder({ page }).include('[role=dialog]').analyze();
  expect(violations.map((one) => one.id)).toEqual([]);
  const machines = board.getByRole('region', { name: 'Panes, of the tried build' });
  await expect(machines.getByText('L2 guest').first()).toBeVisible();

  // The patches first, in seconds; then all, as long as rows keep coming.
  await board.getByRole('tab', { name: 'All single switches' }).click();
  await expect(board.getByRole('row', { name: /^13/ })).toBeVisible();
  const computed = board.getByRole('region', { name: 'Outcomes' }).locator('tr:has(td[data-state])');
  await board.getByRole('button', { name: 'Compute the patches' }).click();
  await expect(board.getByRole('status')).toHaveText(/^14 builds tried: \d+ reach the memory/, { timeout: 60_000 });
  await expect(board.getByRole('row', { name: /^02/ })).toContainText('cxl_get_hdm_info');
  await expect(board.getByRole('row', { name: /^all/ })).toContainText('reaches the memory');
  await board.getByRole('button', { name: /^Compute all/ }).click();
  await expect.poll(() => computed.count(), { timeout: 60_000 }).toBeGreaterThan(2);
  await board.getByRole('button', { name: 'Cancel' }).click();
  await expect(board.getByRole('status')).toHaveText(/^Cancelled after \d+ of \d+ builds\.$/, { timeout: 30_000 });
  await board.getByRole('button', { name: /^Compute all/ }).click();
  const copy = board.getByRole('button', { name: 'Copy as Markdown' });
  await expect(copy).toBeHidden();
  for (let before = -1; !(await copy.isVisible()); ) {
    await expect
      .poll(async () => (await copy.isVisible()) || (await computed.count()) > before, { timeout: 60_000 })
      .toBe(true);
    before = await computed.count();
  }
  expect(await computed.count()).toBeGreaterThan(60);
  await expect(board.getByRole('row', { name: /^v3 / })).toContainText('reaches the memory');
  await board
    .getByRole('row', { name: /^CONFIG_CXL_REGION=n/ })
    .getByRole('button')
    .first()
    .click();
  await board.getByRole('tab', { name: 'Options · 1' }).click();
  await expect(board.getByRole('checkbox', { name: 'CONFIG_CXL_REGION=n' })).toBeChecked();
  // What was computed stays while another view is looked at.
  await board.getByRole('tab', { name: 'All single switches' }).click();
  expect(await computed.count()).toBeGreaterThan(60);

  await board.getByRole('tab', { name: 'RFC and 2026' }).click();
  await expect(board.getByRole('row', { name: /Driver that binds/ })).toContainText('L1 vfio-pci');
  expect(lab.problems).toEqual([]);
});

test('series, defects and options are chosen on the board, travel in its link, and decide what is tried', async ({
  page,
  context,
}) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const lab = new LabPage(page);
  await lab.openLink('patches=');
  const board = page.getByRole('dialog', { name: 'Patch board' });
  await board.getByRole('tab', { name: /^Defects/ }).click();
  await board.getByRole('searchbox', { name: 'Find a defect' }).fill('nothing like this');
  await expect(board.getByRole('region', { name: 'Defects of L1’s kernel' })).toBeHidden();
  await board.getByRole('tab', { name: /^Options/ }).click();
  await board.getByRole('combobox', { name: /L2’s kernel/ }).selectOption('CXL_ACCEL=n');
  await board.getByRole('button', { name: 'Try this build' }).click();
  await expect(board.getByRole('status').first()).toContainText('Stops at L2 probe: L2’s tools', { timeout: 30_000 });
  await board.getByRole('button', { name: 'Take back CONFIG_CXL_ACCEL=n' }).click();

  await board.getByRole('tab', { name: /^Defects/ }).click();
  await board.getByRole('searchbox', { name: 'Find a defect' }).fill('qemu-base-shift');
  await board.getByRole('radio', { name: 'posted' }).first().click();
  await expect(board.getByRole('tab', { name: 'Defects · 1' })).toBeVisible();
  await board.getByRole('button', { name: 'Copy link' }).click();
  const link = await page.evaluate(() => navigator.clipboard.readText());
  expect(link).toMatch(/#patches=stub=qemu-base-shift:posted$/);

  await board.getByRole('radio', { name: /v3, June 2026/ }).click();
  await expect(board.getByRole('list', { name: 'Patches of the v3 series' })).toContainText('passthrough');
  await board.getByRole('button', { name: 'Try this build' }).click();
  await expect(board.getByRole('status').first()).toContainText('reaches the accelerator’s memory', {
    timeout: 30_000,
  });
  await expect(board.getByRole('region', { name: 'How far this build comes' })).toContainText('index 10: 256 MiB');
  expect(lab.problems).toEqual([]);

  // Followed where the board is open already, and on a fresh page.
  await page.goto(link);
  await expect(board.getByRole('tab', { name: 'Defects · 1' })).toBeVisible();
  await page.goto('about:blank');
  await page.goto(link);
  await expect(board.getByRole('tab', { name: 'Defects · 1' })).toBeVisible();
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
  await expect(table.getByRole('row', { name: /BASE_HI0/ })).toContainText('shadow');
  const { violations } = await new AxeBuilder({ page }).include('[role=dialog]').analyze();
  expect(violations.map((one) => one.id)).toEqual([]);
  await page.keyboard.press('Escape');

  await command('VFIO structures');
  await page.getByRole('dialog').getByRole('button', { name: 'GET_REGION_INFO index 9' }).click();
  await expect(page.getByRole('dialog').getByRole('row', { name: /cap_type\.type/ })).toContainText('0x80001e98');
  expect(lab.problems).toEqual([]);
});
