import { expect, test } from '@playwright/test';
import { LabPage } from '../pages/lab-page.ts';

test('a first visit boots to L2, sees the mapping, and follows a byte from L2 into the host’s memory', async ({
  page,
}) => {
  const lab = new LabPage(page);
  await lab.open();
  await lab.bootToL2();

  const addresses = page.getByRole('region', { name: 'Addresses' });
  await expect(addresses).toContainText('region0');
  await expect(addresses).toContainText('HDM decoder 0');

  await lab.type('l2', 'devmem 0x110000040 32 0xcafef00d');
  await lab.type('l2', 'devmem 0x110000040');
  await lab.expectOutput('l2', /0xCAFEF00D/);

  await lab.type('host-monitor', 'xp /1xw 0x490000040');
  await lab.expectOutput('host-monitor', /0000000490000040: 0xcafef00d/);
  expect(lab.problems).toEqual([]);
});
