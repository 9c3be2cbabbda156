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
  await lab.type('host', 'qemu-system-x86_64 -M q35 -device toaster');
  await lab.expectOutput('host', /'toaster' is not a valid device model name/);
  const field = page.getByRole('textbox', { name: /address/i }).first();
  await field.fill('0xNOPE');
  await field.press('Enter');
  await expect(page.getByText(/An address is hexadecimal/)).toBeVisible();
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

test('when the worker dies the page says so and restores the session by replay', async ({ page }) => {
  const lab = new LabPage(page);
  await lab.open();
  await lab.type('host', 'echo precious > /tmp/kept');
  await lab.expectOutput('host', /host:~#\s*$/m);
  await page.waitForTimeout(700);
  await page.workers()[0]?.evaluate(() => self.close());
  await page.locator('#screen-host textarea').focus();
  await page.keyboard.type('x');
  await expect(page.getByText('The engine stopped.')).toBeVisible({ timeout: 15_000 });
  await page.getByRole('button', { name: 'Restore', exact: true }).click();
  await lab.type('host', 'cat /tmp/kept');
  await lab.expectOutput('host', /^precious/m);
});

test('a line that ends the engine can be left out of the session', async ({ page }) => {
  const lab = new LabPage(page);
  await lab.open();
  await lab.type('host', 'echo first > /tmp/kept');
  await lab.expectOutput('host', /host:~#\s*$/m);
  await lab.type('host', 'echo last > /tmp/kept');
  await lab.expectOutput('host', /last > \/tmp\/kept[\s\S]*host:~#\s*$/m);
  await page.waitForTimeout(700);
  await page.evaluate(() => Reflect.get(window, '__cxlab').update({ died: 'For this test.' }));
  await page.getByRole('button', { name: 'Restore without the last line' }).click();
  await lab.expectOutput('host', /host:~#/);
  await lab.type('host', 'cat /tmp/kept');
  await lab.expectOutput('host', /^first/m);
});

test('a stored session that cannot be read is said so, and a new one begins', async ({ page }) => {
  const lab = new LabPage(page);
  await lab.open();
  await page.evaluate(
    () =>
      new Promise<void>((resolve, reject) => {
        const opening = indexedDB.open('cxlab');
        opening.onerror = () => reject(opening.error);
        opening.onsuccess = () => {
          const transaction = opening.result.transaction('sessions', 'readwrite');
          const store = transaction.objectStore('sessions');
          const keys = store.getAllKeys();
          keys.onsuccess = () => {
            for (const key of keys.result) store.put({ inputs: 'garbage' }, key);
          };
          transaction.oncomplete = () => resolve();
        };
      }),
  );
  await page.goto('about:blank');
  await page.goto('./');
  await lab.expectOutput('host', /host:~#/);
  await expect(page.getByText(/stored session cannot be read/)).toBeVisible();
  await lab.type('host', 'echo fresh');
  await lab.expectOutput('host', /^fresh/m);
});
