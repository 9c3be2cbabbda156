import { expect, test } from '@playwright/test';
import { LabPage } from '../pages/lab-page.ts';

test('editing a field types the command, and the mapping follows the register', async ({ page }) => {
  const lab = new LabPage(page);
  await lab.open();
  await lab.bootToL2();
  const addresses = page.getByRole('region', { name: 'Addresses' });
  await expect(addresses).toContainText('vfio region');

  // BOOT leaves the device selected with its decoder control register in the inspector.
  const inspector = page.getByRole('region', { name: 'Inspector' });
  await expect(inspector).toContainText('CTRL0');
  await lab.type('l2', 'devmem 0xfe601148');
  await lab.expectOutput('l2', /0x00000600/);
  await lab.type('l2', 'devmem 0xfe601148 32 0x0');
  await lab.type('l2', 'devmem 0xfe601148');
  await lab.expectOutput('l2', /0x00000000/);
  await lab.type('l2', 'devmem 0x110000040 32 0xdead0001; devmem 0x110000040');
  await lab.expectOutput('l2', /devmem 0x110000040\s+0x00000000/);
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
  await lab.type('host', 'echo three');
  await lab.expectOutput('host', /^three/m);
  expect(await lab.output('host')).not.toMatch(/^two/m);
});
