import { expect, test } from '@playwright/test';
import { LabPage } from '../pages/lab-page.ts';

test('a reload continues where the session was', async ({ page }) => {
  const lab = new LabPage(page);
  await lab.open();
  await lab.bootToL2();
  await lab.type('l2', 'devmem 0x110000080 32 0x1234abcd');
  await lab.type('l2', 'echo stored');
  await lab.expectOutput('l2', /^stored/m);
  // The session is stored a moment after the last row.
  await page.waitForTimeout(900);

  await page.reload();
  await expect(lab.tab('l2')).toBeVisible({ timeout: 20_000 });
  await lab.type('l2', 'devmem 0x110000080');
  await lab.expectOutput('l2', /0x1234ABCD/);
  expect(lab.problems).toEqual([]);
});

test('nonsense everywhere is answered in words and loses nothing', async ({ page }) => {
  const lab = new LabPage(page);
  await lab.open('?layout=%00&foo=<script>#v=zzz&s=!!!');
  await lab.type('host', 'frobnicate --now ; echo "still $((1+1))"');
  await lab.expectOutput('host', /frobnicate: command not found[\s\S]*still 2/);
  await lab.type('host', 'cat /etc/hostname/nope; ls --wat; echo $(( 1 / 0 ))');
  await lab.expectOutput('host', /Not a directory[\s\S]*unrecognized option[\s\S]*division by 0/);
  await lab.type('host', 'qemu-system-x86_64 -device toaster');
  await lab.expectOutput('host', /'toaster' is not a valid device model name/);
  const field = page.getByRole('textbox', { name: /address/i }).first();
  await field.fill('0xNOPE');
  await field.press('Enter');
  await expect(page.getByText(/not an address/i)).toBeVisible();
  await lab.type('host', 'echo alive');
  await lab.expectOutput('host', /^alive/m);
  expect(lab.problems).toEqual([]);
});

test('Ctrl-C ends a loop that never ends', async ({ page }) => {
  const lab = new LabPage(page);
  await lab.open();
  await lab.type('host', 'while true; do :; done');
  await page.waitForTimeout(300);
  await page.keyboard.press('Control+c');
  await lab.type('host', 'echo "status $?"');
  await lab.expectOutput('host', /^status 130/m);
});
