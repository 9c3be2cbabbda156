import { expect, test } from 'vitest';
import { Row } from '../log/index.ts';
import { publishedAs } from '../state/functions.ts';
import type { IoctlArgument } from '../state/schema.ts';
import { Lab } from './lab.ts';
import { host, WALKTHROUGH } from './testing/host.ts';
import { decodeIoctl, vfioAnswers } from './vfio-structs.ts';

test('the structures are those of the RFC’s UAPI, byte for byte (vfio-cxl-rfc.md (f))', async () => {
  const lab = await Lab.start({ seed: 1, host });
  await lab.type(WALKTHROUGH, 'lspci -nn -s 0d:00.0');
  await lab.type(WALKTHROUGH.slice(WALKTHROUGH.indexOf('l1# modprobe')), 'modprobe cxl-accel');
  const answers = await vfioAnswers(lab);
  lab.stop();
  const [info] = answers;
  expect(info?.bytes.length).toBe(64);
  const field = (answer: number, name: string) =>
    answers[answer]?.fields.find((one) => one.name.endsWith(`.${name}`))?.value;
  expect(field(0, 'flags')).toBe(0x282);
  expect(info?.fields.find((one) => one.name === 'vfio_device_info_cap_cxl.hdm_reg_offset')).toEqual({
    name: 'vfio_device_info_cap_cxl.hdm_reg_offset',
    offset: 48,
    size: 8,
    value: 0x1128,
  });
  const region = answers.findIndex(({ call }) => call.endsWith('REGION_INFO index 9'));
  expect([field(region, 'flags'), field(region, 'size'), field(region, 'type')]).toEqual([0xf, 0x10000000, 0x80001e98]);
  expect(answers.find(({ call }) => call.endsWith('REGION_INFO index 8'))?.errno).toBe('EINVAL');
});

test('every VFIO ioctl of L1’s VMM is in the log with its structure as given and as left', async () => {
  const lab = await Lab.start({ seed: 1, host });
  await lab.type(WALKTHROUGH, 'modprobe cxl-accel');
  lab.stop();
  const { log } = lab;
  const logged = [];
  for (let row = log.start; row < log.length; row++)
    if (log.kind(row) === Row.NOTE && log.sites[log.a(row)]?.name === 'argument of the ioctl')
      logged.push({
        request: log.b(row),
        argument: publishedAs<IoctlArgument>(log.values[log.c(row)] ?? null) ?? { path: '', given: '', left: '' },
      });
  const decoded = logged.map(({ request, argument }) => ({ ...decodeIoctl(request, argument), argument }));
  expect(decoded.every(({ call }) => call !== undefined)).toBe(true);
  // The second GET_INFO, with room for the chain: strace prints the same numbers of it.
  const info = decoded.filter(({ call }) => call === 'VFIO_DEVICE_GET_INFO').at(-1);
  expect(info?.argument).toMatchObject({
    path: 'anon_inode:[vfio-device]',
    given: expect.stringMatching(/^40000000820200000a000000/),
  });
  expect(info?.fields?.find(({ name }) => name === 'vfio_device_info_cap_cxl.hdm_reg_offset')?.value).toBe(0x1128);
  const maps = decoded.filter(({ call }) => call === 'VFIO_IOMMU_MAP_DMA');
  expect(maps.length).toBeGreaterThan(2);
  expect(maps[0]?.fields?.map(({ name }) => name)).toContain('vfio_iommu_type1_dma_map.iova');
});
