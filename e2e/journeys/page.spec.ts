import AxeBuilder from '@axe-core/playwright';
import { expect, test } from '@playwright/test';
import { LabPage } from '../pages/lab-page.ts';

for (const scheme of ['light', 'dark'] as const)
  test(`axe finds nothing wrong with the booted page in ${scheme}`, async ({ page }) => {
    await page.emulateMedia({ colorScheme: scheme });
    const lab = new LabPage(page);
    await lab.open();
    await lab.bootToL2();
    const { violations } = await new AxeBuilder({ page }).exclude('.xterm').analyze();
    expect(
      violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(' ')).join(', ')}`),
    ).toEqual([]);
  });

test('at 390 px nothing scrolls sideways', async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto('./');
  await expect(page.locator('[data-testid^="terminal-"]').first()).toBeVisible({ timeout: 20_000 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
});

test('after the first visit the page works without a network', async ({ page, context }) => {
  const lab = new LabPage(page);
  await lab.open();
  await page.evaluate(() => navigator.serviceWorker.ready);
  await context.setOffline(true);
  await page.reload();
  await lab.expectOutput('host', /host:~#/);
  await lab.type('host', 'echo offline works');
  await lab.expectOutput('host', /^offline works/m);
});
