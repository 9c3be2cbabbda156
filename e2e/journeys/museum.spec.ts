import AxeBuilder from '@axe-core/playwright';
import { expect, test } from '@playwright/test';
import { LabPage } from '../pages/lab-page.ts';

test('an exhibit plays as posted and as intended side by side, and in the session', async ({ page }) => {
  const lab = new LabPage(page);
  await lab.openLink('museum=qemu-map-swapped');
  const museum = page.getByRole('dialog', { name: /museum/ });
  await expect(museum.getByRole('status')).toHaveText('both played', { timeout: 30_000 });
  const runs = museum.getByRole('region', { name: 'Both runs' });
  await expect(runs.locator('[data-differs=true]').first()).toContainText('Assertion');
  await expect(museum.locator('button[aria-current=true]')).toBeInViewport();
  const { violations } = await new AxeBuilder({ page }).include('[role=dialog]').analyze();
  expect(violations.map((one) => one.id)).toEqual([]);

  await museum.getByRole('button', { name: /The last dword of the HDM block/ }).click();
  await expect(museum.getByRole('status')).toHaveText('both played', { timeout: 30_000 });
  await expect(runs.locator('[data-differs=true]').first()).toContainText('0x0000');
  await museum.getByRole('button', { name: 'Play as posted here' }).click();
  await lab.playedToTheEnd();
  await lab.expectOutput('l2', /devmem 0xfe6011b4/);
  expect(lab.problems).toEqual([]);
});
