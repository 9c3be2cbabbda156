import AxeBuilder from '@axe-core/playwright';
import { expect, test } from '@playwright/test';
import { LabPage } from '../pages/lab-page.ts';

test('a link opens the ledger at its entry; words find entries; scores stand above them', async ({ page }) => {
  const lab = new LabPage(page);
  await lab.openLink('fidelity=cxl-decode');
  const dialog = page.getByRole('dialog', { name: /Fidelity/ });
  await expect(dialog.locator('#fidelity-cxl-decode')).toBeInViewport();
  await expect(dialog.locator('#fidelity-cxl-decode')).toHaveAttribute('data-asked', 'true');
  await dialog.getByRole('searchbox', { name: 'Search the ledger' }).fill('mailbox payload');
  await expect(dialog.getByRole('status')).toContainText(/^\d+ of \d+ entries$/);
  await expect(dialog.locator('#fidelity-cxl-type3-payload')).toBeVisible();
  await dialog.getByRole('searchbox', { name: 'Search the ledger' }).fill('no such words here');
  await expect(dialog.getByText('No entry has all of these words.')).toBeVisible();
  await expect(dialog.getByRole('region', { name: 'Scores against captures' })).toContainText('cxl');
  await dialog.getByRole('searchbox', { name: 'Search the ledger' }).fill('');
  const { violations } = await new AxeBuilder({ page }).include('[role=dialog]').analyze();
  expect(violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.target.join(' ')).join(', ')}`)).toEqual(
    [],
  );
  await page.keyboard.press('Escape');
  expect(new URL(page.url()).hash).toBe('');
  expect(lab.problems).toEqual([]);
});
