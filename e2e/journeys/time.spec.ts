import { expect, test } from '@playwright/test';
import { LabPage } from '../pages/lab-page.ts';

test('going back to before the commit takes the mapping away, and coming back brings it again', async ({ page }) => {
  const lab = new LabPage(page);
  await lab.open();
  await lab.bootToL2();
  const stage = page.getByRole('region', { name: 'Machines' });
  await expect(stage).toContainText('0x110000000');

  await page.getByText('Commands as a list').click();
  await page
    .getByRole('button', { name: /modprobe cxl-accel$/ })
    .last()
    .click();
  await expect(page.getByRole('button', { name: /back to now/ })).toBeVisible();
  await expect(stage).not.toContainText('region0 commit 0x110000000');

  await page.getByRole('button', { name: /back to now/ }).click();
  await expect(stage).toContainText('0x110000000');
  expect(lab.problems).toEqual([]);
});
