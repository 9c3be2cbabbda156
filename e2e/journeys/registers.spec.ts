import { expect, test } from '@playwright/test';
import { LabPage } from '../pages/lab-page.ts';

test('editing a field types the command, and the mapping follows the register', async ({ page }) => {
  const lab = new LabPage(page);
  await lab.open();
  await lab.bootToL2();
  const addresses = page.getByRole('region', { name: 'Addresses' });
  await expect(addresses).toContainText('GPA 0x110000000 →');

  const inspector = page.getByRole('region', { name: 'Inspector' });
  await page.getByRole('button', { name: /0d:00\.0, l2/ }).click();
  await inspector.getByRole('toolbar', { name: 'Register space' }).getByRole('button', { name: 'BAR0' }).click();
  await inspector.getByRole('button', { name: 'CTRL0', exact: true }).click();
  await inspector.getByRole('combobox', { name: 'Set' }).selectOption('COMMIT');
  await inspector.getByRole('textbox', { name: 'New value of COMMIT' }).fill('0');
  await expect(inspector.getByText(/l2# devmem 0xfe[0-9a-f]+ 32 0x/)).toBeVisible();
  await inspector.getByRole('button', { name: 'Type it' }).click();

  await lab.expectOutput('l2', /devmem 0xfe[0-9a-f]+ 32 0x/);
  await expect(addresses).not.toContainText('GPA 0x110000000 →');
  expect(lab.problems).toEqual([]);
});

test('typing in the past asks to branch, and the branch goes on from there', async ({ page }) => {
  const lab = new LabPage(page);
  await lab.open();
  await lab.type('host', 'echo one');
  await lab.type('host', 'echo two');
  await lab.expectOutput('host', /^two/m);
  await page.getByText('Commands as a list').click();
  await page.getByRole('button', { name: /: echo two$/ }).click();
  await expect.poll(() => lab.output('host')).not.toMatch(/^two/m);

  await page.locator('#screen-host textarea').focus();
  await page.keyboard.type('x');
  await expect(page.getByText(/Typing here starts a branch/)).toBeVisible();
  await page.getByRole('button', { name: /branch here/i }).click();
  await expect(page.getByRole('button', { name: /branch here/i })).toBeHidden();
  // The line stands at the prompt as it did before Enter: take it away and type another.
  await lab.expectOutput('host', /echo two\s*$/m);
  await lab.tab('host').click();
  await page.locator('#screen-host textarea').focus();
  await page.keyboard.press('Control+u');
  await lab.type('host', 'echo three');
  await lab.expectOutput('host', /^three/m);
  expect(await lab.output('host')).not.toMatch(/^two/m);
});
