import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { LabPage } from '../pages/lab-page.ts';

test('the same inputs give the same state hash in Chromium and in Node', async ({ page }) => {
  const lab = new LabPage(page);
  await lab.open();
  await lab.bootToL2();
  const inChromium = await page.evaluate(async () => {
    const { client } = (window as unknown as { __cxlab: { client: { hash(): Promise<string> } } }).__cxlab;
    return client.hash();
  });

  const walkthrough = readFileSync('src/content/walkthrough.transcript', 'utf8');
  const typed = walkthrough.split('\n').filter((line) => /^(host|l1|l2)# /.test(line));
  const upTo = typed.slice(0, typed.indexOf('l2# modprobe cxl-accel') + 1);
  const file = join(mkdtempSync(join(tmpdir(), 'cxlab-')), 'boot.transcript');
  writeFileSync(file, `${upTo.join('\n')}\n`);
  const inNode = execFileSync('npx', ['tsx', 'src/cli/entry.ts', 'hash', file], { encoding: 'utf8' }).trim();
  expect(inChromium).toBe(inNode);
});
