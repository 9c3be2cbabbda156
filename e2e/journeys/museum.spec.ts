import AxeBuilder from '@axe-core/playwright';
import { expect, type Locator, test } from '@playwright/test';
import { LabPage } from '../pages/lab-page.ts';

const run = (museum: Locator, name: string) => museum.getByRole('region', { name, exact: true });
const clock = (pane: Locator) => pane.getByRole('slider', { name: /Time/ });
const at = async (pane: Locator) => Number(await clock(pane).getAttribute('aria-valuenow'));

test('an exhibit plays as posted and as intended side by side, each with its own machines and its own time', async ({
  page,
  context,
}) => {
  const lab = new LabPage(page);
  await lab.openLink('museum=qemu-map-swapped');
  const museum = page.getByRole('dialog', { name: 'Review museum' });
  await expect(museum.getByRole('status')).toHaveText('both played', { timeout: 30_000 });
  await expect(museum.locator('button[aria-current=true]')).toBeInViewport();
  const session = () =>
    page.evaluate(() => {
      const { head, cursor, live, selection } = Reflect.get(window, '__cxlab').store.getState();
      return { head, cursor, live, selection };
    });
  const before = await session();

  // The VMM asserts as posted, and L2 is gone with it; as intended it runs on.
  const [posted, intended] = [run(museum, 'As posted'), run(museum, 'As intended')];
  await expect(posted.locator('[data-differs=true]').first()).toContainText('Assertion');
  await expect(posted.getByText(/L2 is off: its VMM/)).toBeVisible();
  await expect(posted.locator('[data-pane=stage]').getByText('is not there').first()).toBeVisible();
  await expect(intended.locator('svg').getByText('L2 guest')).toBeVisible();
  await expect(museum.getByRole('region', { name: 'What differs' })).toContainText(
    'Only as intended L2 guest: running',
  );
  const { violations } = await new AxeBuilder({ page }).include('[role=dialog]').analyze();
  expect(violations.map((one) => one.id)).toEqual([]);

  // Both cursors go to the same line; then each for itself. The session behind stays where it is.
  await posted.getByRole('button', { name: /l2# modprobe cxl-accel/ }).click();
  await expect(intended.locator('[aria-current=step]')).toContainText('modprobe cxl-accel');
  expect(await at(intended)).not.toBe(await at(posted));
  await museum.getByRole('checkbox', { name: /together/ }).uncheck();
  const stays = await at(intended);
  await clock(posted).press('Home');
  await expect(posted.locator('svg').getByText('L1 guest')).toHaveCount(0);
  expect(await at(posted)).toBe(0);
  expect(await at(intended)).toBe(stays);
  await clock(posted).press('End');
  await expect(posted.getByText('now', { exact: true })).toBeVisible();
  expect(await session()).toEqual(before);

  // What is selected in one is selected in the other: the same registers of both.
  await museum.getByRole('checkbox', { name: /together/ }).check();
  await intended
    .locator('[data-pane=stage]')
    .getByRole('button', { name: /0d:00\.0/ })
    .first()
    .click();
  for (const pane of [posted, intended]) await expect(pane.locator('[data-pane=inspector]')).toContainText('0d:00.0');
  expect(await session()).toEqual(before);

  // A link goes to the same moment of the same run, wherever it is opened.
  await museum.getByRole('checkbox', { name: /together/ }).check();
  await page.evaluate(() => {
    location.hash = 'museum=qemu-map-swapped@posted:8000';
  });
  await expect.poll(() => at(posted)).toBe(8000);
  expect(await at(intended)).toBeLessThan(13_000);
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await museum.getByRole('button', { name: 'Copy link' }).click();
  const link = await page.evaluate(() => navigator.clipboard.readText());
  expect(link).toMatch(/#museum=qemu-map-swapped@posted:8000$/);
  await page.goto('about:blank');
  await page.goto(link);
  await expect(museum.getByRole('status')).toHaveText('both played', { timeout: 30_000 });
  await expect.poll(() => at(posted)).toBe(8000);
  expect(lab.problems).toEqual([]);
});

test('arrow keys go through the exhibits, and one of them plays in the session', async ({ page }) => {
  const lab = new LabPage(page);
  await lab.openLink('museum=vfio-cxl-hdm-last-dword');
  const museum = page.getByRole('dialog', { name: 'Review museum' });
  await expect(museum.getByRole('status')).toHaveText('both played', { timeout: 30_000 });
  await expect(museum.locator('[data-differs=true]').first()).toContainText('0x0000');
  await page.keyboard.press('ArrowDown');
  await expect(museum.getByRole('heading', { level: 3 })).toContainText('A backtrace for a byte');
  await page.keyboard.press('Home');
  await expect(museum.getByRole('heading', { level: 3 })).toContainText('The last dword');
  await expect(museum.getByRole('status')).toHaveText('both played', { timeout: 30_000 });
  await museum.getByRole('button', { name: 'Play as posted here' }).click();
  await lab.playedToTheEnd();
  await lab.expectOutput('l2', /devmem 0xfe6011b4/);
  expect(lab.problems).toEqual([]);
});

test('on a narrow screen one run at a time is shown, with the exhibits in one line', async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  const lab = new LabPage(page);
  await lab.openLink('museum=cxl-accel-endpoint-error');
  const museum = page.getByRole('dialog', { name: 'Review museum' });
  await expect(museum.getByRole('status')).toHaveText('both played', { timeout: 30_000 });
  await expect(run(museum, 'As posted').getByText(/L2 running after an oops/)).toBeVisible();
  await museum.getByRole('radio', { name: 'As intended' }).click();
  await expect(run(museum, 'As posted')).toHaveCount(0);
  await expect(run(museum, 'As intended')).toContainText('L2 running');
  await museum.getByRole('combobox', { name: 'Exhibit' }).selectOption('vfio-cxl-export-kind');
  await expect(museum.getByRole('status')).toHaveText('both played', { timeout: 30_000 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  const { violations } = await new AxeBuilder({ page }).include('[role=dialog]').analyze();
  expect(violations.map((one) => one.id)).toEqual([]);
  expect(lab.problems).toEqual([]);
});
