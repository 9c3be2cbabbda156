import { expect, test } from 'vitest';
import { Lab } from './lab.ts';
import { host, WALKTHROUGH } from './testing/host.ts';
import { vfioAnswers } from './vfio-structs.ts';

test('the structures are those of the RFC’s UAPI, byte for byte (vfio-cxl-rfc.md (f))', {
  timeout: 30_000,
}, async () => {
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
