import { expect, type Page, test } from '@playwright/test';
import { LabPage } from '../pages/lab-page.ts';

interface Seen {
  readonly cursor: number;
  readonly live: boolean;
  readonly layout: string;
  readonly selection: unknown;
  readonly address: unknown;
  readonly epoch: number;
}

function seen(page: Page): Promise<Seen> {
  return page.evaluate(() => {
    const { cursor, live, settings, selection, address, epoch } = Reflect.get(window, '__cxlab').store.getState();
    return { cursor, live, layout: settings.layout, selection, address, epoch };
  });
}
const hash = (page: Page): Promise<string> => page.evaluate(() => Reflect.get(window, '__cxlab').client.hash());

test('a link to a state brings session and view to another reader, whose own session is kept', async ({
  page,
  context,
  browser,
}) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const lab = new LabPage(page);
  await lab.open();
  await lab.bootToL2();
  await lab.type('l2', 'devmem 0x110000080 32 0x1234abcd; echo stored');
  await lab.expectOutput('l2', /^stored/m);
  await page.getByTestId('terminal-l2').locator('.xterm-helper-textarea').focus();
  await page.keyboard.type('echo half-ty');
  await lab.expectOutput('l2', /echo half-ty/);
  await page.keyboard.press('Control+g');
  await page.getByRole('dialog').getByRole('textbox').fill('0x110000080');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Alt+2');
  await page.keyboard.press('Control+Alt+z');
  await page.keyboard.press('Control+Alt+z');
  await expect.poll(async () => (await seen(page)).live).toBe(false);
  await page.keyboard.press('Control+Alt+l');
  await expect(page.getByText(/Copied: a link to the session, seen at event/)).toBeVisible();
  const link = await page.evaluate(() => navigator.clipboard.readText());
  expect(link).toMatch(/#state=1\.[A-Za-z0-9_-]+$/);
  const mine = await seen(page);
  const state = await hash(page);

  const other = await (await browser.newContext({ viewport: { width: 1440, height: 900 } })).newPage();
  const reader = new LabPage(other);
  await other.goto(link.split('#')[0] ?? link);
  await reader.type('host', 'echo my own work');
  await reader.expectOutput('host', /^my own work/m);
  await other.goto(link);
  await expect.poll(async () => (await seen(other)).cursor, { timeout: 30_000 }).toBe(mine.cursor);
  await expect.poll(async () => ({ ...(await seen(other)), epoch: 0 })).toEqual({ ...mine, epoch: 0 });
  expect(await hash(other)).toBe(state);
  await expect(other.getByText(/What was here before is kept/)).toBeVisible();
  await expect(other.getByRole('alert')).toHaveCount(0);
  expect(new URL(other.url()).hash).toBe('');
  await other.keyboard.press('Control+Shift+P');
  await expect(other.getByRole('option', { name: /echo my own work/ })).toBeVisible();
  await other.keyboard.press('Escape');
  await other
    .getByRole('button', { name: /back to now/ })
    .first()
    .click();
  await reader.expectOutput('l2', /echo half-ty\s*$/m);
  expect(reader.problems).toEqual([]);

  // Cut off, of another form, not of this lab: a sentence, and nothing is lost.
  const before = (await seen(other)).epoch;
  for (const [text, sentence] of [
    [link.slice(0, -40), /damaged or cut off/],
    [link.replace('#state=1.', '#state=9.'), /form 9, from another version/],
    [`${link.split('#')[0]}#state=hello`, /carries none/],
  ] as const) {
    await other.evaluate((hash) => {
      location.hash = hash;
    }, new URL(text).hash);
    await expect(other.getByRole('alert')).toContainText(sentence);
    await other.getByRole('button', { name: 'Dismiss' }).click();
  }
  expect((await seen(other)).epoch).toBe(before);
  expect(lab.problems).toEqual([]);
});

test('a session too long for a link is said so, and goes through a file', async ({ page }) => {
  const lab = new LabPage(page);
  await lab.open();
  const noise = Array.from({ length: 3000 }, (_, n) => ((n * 2654435761) % 4294967296).toString(36)).join('');
  await lab.type('host', 'cat > /tmp/noise');
  await page.evaluate(async (text) => {
    const { client } = Reflect.get(window, '__cxlab');
    for (let at = 0; at < text.length; at += 200) await client.run('host', text.slice(at, at + 200));
    await client.input('host', '\x04');
  }, noise + noise.split('').reverse().join(''));
  await lab.type('host', 'wc -c < /tmp/noise; echo counted');
  await lab.expectOutput('host', /^counted/m);
  await page.keyboard.press('Control+Alt+l');
  await expect(page.getByRole('alert')).toContainText(/too long for a link \(\d+ kB, at most 30\): save it as a file/);
  const state = await hash(page);
  await page.getByRole('button', { name: 'Settings' }).click();
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Save session as a file' }).click(),
  ]);
  const path = await download.path();
  await page.getByRole('button', { name: 'Start over' }).click();
  await lab.expectOutput('host', /host:~#/);
  await page.getByRole('button', { name: 'Settings' }).click();
  await page.getByLabel('Open a session file').setInputFiles(path);
  await lab.expectOutput('host', /^counted/m);
  expect(await hash(page)).toBe(state);
  expect(lab.problems).toEqual([]);
});

test('Boot to L2 works from any state, and what was there is kept', async ({ page }) => {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  const lab = new LabPage(page);
  await lab.open();
  const epoch = async () => (await seen(page)).epoch;
  const driven = () =>
    page.evaluate(() => Reflect.get(window, '__cxlab').log.object('cxl/l2/region0')?.state === 'commit');
  const fromPalette = async () => {
    await page.keyboard.press('Control+Shift+P');
    await page.getByRole('option', { name: /^Boot to L2/ }).click();
  };

  // A half-typed line is given up in the same session.
  await page.getByTestId('terminal-host').locator('.xterm-helper-textarea').focus();
  await page.keyboard.type('rm -rf half-ty');
  await lab.expectOutput('host', /half-ty/);
  const first = await epoch();
  await page.getByRole('button', { name: 'Boot to L2' }).first().click();
  await expect.poll(driven, { timeout: 30_000 }).toBe(true);
  expect(await epoch()).toBe(first);

  // With L2 running and the cursor in the past.
  await page.keyboard.press('Control+Alt+z');
  await page.keyboard.press('Control+Alt+z');
  await page.getByRole('button', { name: 'Boot again' }).first().click();
  await expect.poll(epoch, { timeout: 30_000 }).toBe(first + 1);
  await expect.poll(driven, { timeout: 30_000 }).toBe(true);

  // While the machines of a failed build run; the page says which build that is.
  await page.evaluate(() => {
    location.hash = 'patches=without=8';
  });
  await page.getByRole('dialog').getByRole('button', { name: 'Boot to L2 with it' }).click();
  const builds = page.getByRole('list', { name: 'Builds that run here' });
  await expect(builds).toContainText('kernel without 08', { timeout: 30_000 });
  await lab.expectOutput('l2', /probe with driver cxl-accel failed/);
  await expect.poll(() => lab.settledLive()).toBe(true);
  await fromPalette();
  await expect.poll(epoch, { timeout: 30_000 }).toBe(first + 3);
  await expect.poll(driven, { timeout: 30_000 }).toBe(true);
  await expect(builds).toBeHidden();

  // Under a loop that never ends.
  await page.keyboard.press('Control+Shift+P');
  await page.getByRole('option', { name: /^Start over/ }).click();
  await expect.poll(epoch).toBe(first + 4);
  await lab.type('host', 'while true; do echo again; done');
  await page.waitForTimeout(300);
  await fromPalette();
  await expect.poll(driven, { timeout: 30_000 }).toBe(true);
  expect(lab.problems).toEqual([]);
});
