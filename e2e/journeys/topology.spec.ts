import AxeBuilder from '@axe-core/playwright';
import { expect, test } from '@playwright/test';
import { LabPage } from '../pages/lab-page.ts';

const LINE = [
  'qemu-system-x86_64 -M q35,cxl=on -m 4G,maxmem=8G,slots=8 -cpu max,hypervisor=off -smp 2',
  '-object memory-backend-ram,id=m0,share=on,size=256M -object memory-backend-ram,id=m1,share=on,size=256M',
  '-device pxb-cxl,bus_nr=12,bus=pcie.0,id=cxl.1 -device cxl-rp,port=0,bus=cxl.1,id=rp0,chassis=0,slot=2',
  '-device cxl-rp,port=1,bus=cxl.1,id=rp1,chassis=0,slot=3 -device cxl-type3,bus=rp0,volatile-memdev=m0,id=left,sn=1',
  '-device cxl-type3,bus=rp1,volatile-memdev=m1,id=right,sn=2 -M cxl-fmw.0.targets.0=cxl.1,cxl-fmw.0.size=4G',
].join(' \\\n  ');

test('a pasted command line is drawn, remarked on at its places, and boots by being typed', async ({ page }) => {
  const lab = new LabPage(page);
  await lab.open();
  await page.getByRole('button', { name: 'Command line', exact: true }).click();
  const dialog = page.getByRole('dialog', { name: 'Topology from a command line' });
  const field = dialog.getByRole('textbox', { name: 'QEMU command line' });
  await field.fill(LINE.replace('bus=rp1,volatile', 'bus=rp7,volatile'));
  const remark = dialog.getByRole('button', { name: /Bus 'rp7' not found/ });
  await expect(remark).toBeVisible();
  await remark.click();
  const chosen = await field.evaluate((element) => {
    const area = element as HTMLTextAreaElement;
    return area.value.slice(area.selectionStart, area.selectionEnd);
  });
  expect(chosen).toContain('rp7');

  await field.fill(`${LINE} -netdev user,id=n0`);
  await expect(dialog.getByRole('button', { name: /right/ })).toBeVisible();
  await dialog.getByRole('button', { name: /Leave out what is not modelled/ }).click();
  await dialog.getByRole('button', { name: 'Add the lab’s kernel' }).click();
  await expect(dialog.getByText('refused')).toHaveCount(0);
  const { violations } = await new AxeBuilder({ page }).include('[role=dialog]').analyze();
  expect(violations.map((one) => one.id)).toEqual([]);
  await dialog.getByRole('button', { name: 'Boot it' }).click();
  await lab.playedToTheEnd();
  await lab.type('l1', 'cxl list -M | grep -c memdev');
  await lab.expectOutput('l1', /^2$/m);
  expect(lab.problems).toEqual([]);
});

test('what is no command line is answered in words', async ({ page }) => {
  const lab = new LabPage(page);
  await lab.openLink(`topology=${encodeURIComponent('-device cxl-type3 "unclosed')}`);
  const dialog = page.getByRole('dialog', { name: 'Topology from a command line' });
  await expect(dialog.getByText(/this quote is never closed/)).toBeVisible();
  for (const text of [
    'hello',
    '{}',
    '🦊'.repeat(50),
    '-M\n-M\n-M',
    'qemu-system-x86_64 -device pxb-cxl,bus_nr=banana',
  ]) {
    await dialog.getByRole('textbox', { name: 'QEMU command line' }).fill(text);
    await expect(dialog.getByRole('list', { name: 'Remarks' }).or(dialog.getByText('No remarks'))).toBeVisible();
  }
  expect(lab.problems).toEqual([]);
});
