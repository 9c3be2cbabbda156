import { expect, test } from '@playwright/test';
import { LabPage } from '../pages/lab-page.ts';

test('everything can be done without a mouse: play, read a register, go back in time, return', async ({ page }) => {
  const lab = new LabPage(page);
  await page.goto('./');
  await expect(page.getByTestId('terminal-host')).toBeVisible();
  await expect.poll(() => lab.output('host')).toMatch(/host:~#/);

  await page.keyboard.press('Control+Shift+P');
  await expect(page.getByPlaceholder('Type a command or a device')).toBeFocused();
  await page.keyboard.type('One expander');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('button', { name: 'Skip to the end' }).first()).toBeVisible({ timeout: 15_000 });
  // In a console any key ends the playback.
  await page.keyboard.press('Escape');
  await expect.poll(() => lab.settledLive(), { timeout: 30_000 }).toBe(true);

  // From pane to pane to the stage, along it to the device, and its registers.
  const focusedPane = () =>
    page.evaluate(() => document.activeElement?.closest('[data-pane]')?.getAttribute('data-pane') ?? '');
  for (let n = 0; n < 8 && (await focusedPane()) !== 'stage'; n++) await page.keyboard.press('F6');
  expect(await focusedPane()).toBe('stage');
  const kind = () => page.evaluate(() => document.activeElement?.getAttribute('data-kind') ?? '');
  await page.locator('svg[role=toolbar] [tabindex="0"]').first().focus();
  for (let n = 0; n < 20 && (await kind()) !== 'memory'; n++) await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  const inspector = page.getByRole('region', { name: 'Inspector' });
  await expect(inspector).toContainText('cxl-mem0');

  await page.keyboard.press('Control+Alt+z');
  await expect(page.getByRole('button', { name: /back to now/ })).toBeVisible();
  await page.keyboard.press('Control+g');
  await expect(page.getByRole('dialog', { name: 'Go to address' })).toBeVisible();
  await page.keyboard.press('Escape');
  await page.keyboard.press('Control+Shift+P');
  await expect(page.getByPlaceholder('Type a command or a device')).toBeFocused();
  await page.keyboard.type('Back to now');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('button', { name: /back to now/ })).toBeHidden();
  for (const [key, layout] of [
    ['Alt+2', 'Topology'],
    ['Alt+5', 'Present'],
    ['Alt+1', 'Overview'],
  ] as const) {
    await page.keyboard.press(key);
    await expect(page.getByRole('radio', { name: layout })).toHaveAttribute('aria-checked', 'true');
  }
  expect(lab.problems).toEqual([]);
});
