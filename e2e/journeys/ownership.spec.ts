import AxeBuilder from '@axe-core/playwright';
import { expect, type Page, test } from '@playwright/test';
import { LabPage } from '../pages/lab-page.ts';

/** Goes from one focusable thing to the next until one with this name has the focus. */
async function tabTo(page: Page, name: RegExp, key: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<void> {
  const named = () =>
    page.evaluate(() => {
      const { activeElement } = document;
      return activeElement?.getAttribute('aria-label') ?? activeElement?.textContent ?? '';
    });
  for (let n = 0; n < 80; n++) {
    if (name.test((await named()).trim())) return;
    await page.keyboard.press(key);
  }
  throw new Error(`nothing called ${name} can be reached with ${key}`);
}

async function paletteRun(page: Page, words: string): Promise<void> {
  await page.keyboard.press('Control+Shift+P');
  await expect(page.getByPlaceholder('Type a command or a device')).toBeFocused();
  await page.keyboard.type(words);
  await page.keyboard.press('Enter');
}

test('with keys alone: boot, select a register, see who owns it, open the table, go back in time and return', async ({
  page,
}) => {
  const lab = new LabPage(page);
  await page.goto('./');
  await expect.poll(() => lab.output('host')).toMatch(/host:~#/);
  await paletteRun(page, 'Boot to L2');
  await expect(page.getByRole('button', { name: 'Skip to the end' }).first()).toBeVisible({ timeout: 20_000 });
  await page.keyboard.press('Escape');
  await expect.poll(() => lab.settledLive(), { timeout: 30_000 }).toBe(true);

  // The page shows the first decoder of the device; the inspector is a few panes away.
  const inspector = page.getByRole('region', { name: 'Inspector' });
  await expect(inspector.getByRole('heading', { name: /^CTRL0/ })).toBeVisible();
  const inside = () => page.evaluate(() => document.activeElement?.closest('[data-pane]')?.getAttribute('data-pane'));
  for (let n = 0; n < 8 && (await inside()) !== 'inspector'; n++) await page.keyboard.press('F6');
  await tabTo(page, /^BASE_LO0$/);
  await page.keyboard.press('Enter');
  await expect(inspector.getByRole('heading', { name: /^BASE_LO0/ })).toBeVisible();
  await tabTo(page, /^Who owns it$/, 'Shift+Tab');
  await page.keyboard.press('Enter');
  const owner = inspector.getByRole('region', { name: 'Who owns it' });
  await expect(owner.getByRole('status')).toContainText('Measured on a copy of this session', { timeout: 40_000 });
  await expect(owner).toContainText('A write from L2 is kept in the shadow of the HDM block');
  await expect(owner).toContainText('From L1’s kernel reaches the device');
  await expect(owner.getByRole('row', { name: /^L2/ })).toContainText('10000000');
  await expect(owner.getByRole('row', { name: /^device/ })).toContainText('90000000');
  await expect(inspector.getByRole('row', { name: /^0x1128 HDM_CAP|HDM_CAP/ }).first()).toContainText('shadow ro');

  await tabTo(page, /^All registers$/);
  await page.keyboard.press('Enter');
  const table = page.getByRole('dialog', { name: 'Who owns each register' });
  await expect(table.getByRole('status')).toHaveText(/^\d+ registers$/, { timeout: 40_000 });
  await expect(table.getByLabel('Filter')).toHaveValue('BASE_LO0');
  await page.keyboard.press('Escape');
  await expect(table).toBeHidden();

  // Before L2 was given the device the same register was L1's kernel's alone; nothing measured is shown for that time.
  for (let n = 0; n < 4; n++) await page.keyboard.press('Control+Alt+z');
  await expect(page.getByRole('button', { name: /back to now/i }).first()).toBeVisible();
  await expect(owner.getByText('Measured on a copy')).toBeHidden();
  await paletteRun(page, 'Back to now');
  await expect(owner.getByRole('status')).toContainText('Measured on a copy of this session');
  expect(lab.problems).toEqual([]);
});

test('a VFIO ioctl in the inspector shows its structure: bytes, fields, and what its command cost', async ({
  page,
}) => {
  const lab = new LabPage(page);
  await lab.open();
  await lab.bootToL2();
  await page.keyboard.press('Alt+4');
  await page.getByLabel('Filter events by words').fill('request=0x3b6b');
  await page.getByRole('region', { name: 'Event rows' }).getByRole('button').last().click();
  const structure = page.getByRole('region', { name: 'Structure of the ioctl' });
  await expect(structure).toContainText('VFIO_DEVICE_GET_INFO');
  await expect(structure.getByRole('row', { name: /hdm_reg_offset/ })).toContainText('0x0000000000001128');
  await expect(structure).toContainText('4000 0000 8202 0000');
  await expect(page.getByRole('region', { name: 'Exits of its command' })).toContainText('L2 exits');
  expect(lab.problems).toEqual([]);
});

const DIALOGS = [
  'palette',
  'keys',
  'settings',
  'fidelity',
  'goto',
  'gallery',
  'topology',
  'patches',
  'museum',
  'ownership',
  'structs',
  'exits',
] as const;

for (const colorScheme of ['light', 'dark'] as const)
  test(`no dialog hinders anybody (${colorScheme})`, async ({ page }) => {
    test.setTimeout(180_000);
    await page.emulateMedia({ colorScheme });
    const lab = new LabPage(page);
    await lab.open();
    await lab.bootToL2();
    for (const dialog of DIALOGS) {
      await page.evaluate((id) => Reflect.get(window, '__cxlab').update({ dialog: id }), dialog);
      await expect(page.getByRole('dialog')).toBeVisible();
      await expect(page.getByText('Opening…')).toBeHidden({ timeout: 15_000 });
      const axe = new AxeBuilder({ page }).include('[role=dialog]');
      // Nothing but colours differs in the dark.
      const { violations } = await (colorScheme === 'dark' ? axe.withRules(['color-contrast']) : axe).analyze();
      expect(violations.map((one) => `${dialog}: ${one.id} ${one.nodes[0]?.target}`)).toEqual([]);
      await page.keyboard.press('Escape');
      await expect(page.getByRole('dialog')).toBeHidden();
    }
    expect(lab.problems).toEqual([]);
  });
