import { hex } from '../../base/addr.ts';
import { E } from '../../base/errno.ts';
import { MAP_SHARED, O_RDWR, PROT_READ, PROT_WRITE } from '../../linux/uapi/constants.ts';
import { decode, encode } from '../../linux/uapi/struct.ts';
import type { Program, Sys } from '../../linux/uapi/sys.ts';
import {
  findInfoCap,
  VFIO_DEVICE_GET_INFO,
  VFIO_DEVICE_GET_REGION_INFO,
  VFIO_DEVICE_INFO_CAP_CXL,
  VFIO_DEVICE_IOEVENTFD,
  VFIO_DEVICE_RESET,
  VFIO_GROUP_GET_DEVICE_FD,
  VFIO_GROUP_SET_CONTAINER,
  VFIO_PCI_INDEX_TO_OFFSET,
  VFIO_SET_IOMMU,
  VFIO_TYPE1_IOMMU,
  vfio_device_info,
  vfio_device_info_cap_cxl,
  vfio_device_ioeventfd,
  vfio_region_info,
} from '../../linux/uapi/vfio.ts';
import { cap_cxl_layout, vfio_device_info_cap_cxl_v3 } from '../../linux/uapi/vfio-cxl-v3.ts';
import { encode as utf8 } from './io.ts';
import { defineTool, type Tool } from './tool.ts';

/**
 * vfio-poke: the lab's own small user of a VFIO device, for what a VMM never does: reads beyond a region, accesses of odd
 * sizes, opening twice. Legacy group and container only.
 */
export const vfioPoke: Program = defineTool(
  {
    name: 'vfio-poke',
    usage:
      'BDF [info] [regions] [read INDEX OFFSET LENGTH] [write INDEX OFFSET HEX] [map INDEX OFFSET] [hold SECONDS] [reset] [ioeventfd INDEX OFFSET BYTES FD|none] [signal INDEX OFFSET HEX] ...',
    about:
      "Opens a VFIO device and does the given things to it in order. A command of the lab's own, not of any system.\nmap maps the page of a region that holds OFFSET and prints 16 bytes from there; hold keeps the device open;\nsignal ties a write of the bytes HEX to a new event file and signals it once.",
    options: [],
    misuse: 2,
  },
  async (tool) => {
    const [bdf, ...words] = tool.args;
    if (bdf === undefined) {
      await tool.fail('say which device: vfio-poke 0000:0d:00.0 …', 2);
      return 2;
    }
    const fd = await open(tool, bdf);
    if (fd < 0) return 1;
    while (words.length > 0) {
      const done = await act(tool, fd, words);
      await tool.out.flush();
      if (!done) return 2;
    }
    return 0;
  },
);

const number = (result: number | Promise<number>): number => (typeof result === 'number' ? result : -E.EIO);

async function open(tool: Tool, bdf: string): Promise<number> {
  const { sys } = tool;
  const link = sys.readlink(`/sys/bus/pci/devices/${bdf}/iommu_group`);
  if (typeof link === 'number') {
    await tool.failErrno(bdf, link);
    return -1;
  }
  const container = sys.open('/dev/vfio/vfio', O_RDWR);
  const path = `/dev/vfio/${link.split('/').at(-1)}`;
  const group = sys.open(path, O_RDWR);
  if (container < 0 || group < 0) {
    await tool.failErrno(container < 0 ? '/dev/vfio/vfio' : path, container < 0 ? container : group);
    return -1;
  }
  const word = new Uint8Array(4);
  new DataView(word.buffer).setInt32(0, container, true);
  const set = number(sys.ioctl(group, VFIO_GROUP_SET_CONTAINER, word));
  const iommu = set < 0 ? set : number(sys.ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU));
  if (iommu < 0) {
    await tool.failErrno(path, iommu);
    return -1;
  }
  const fd = number(sys.ioctl(group, VFIO_GROUP_GET_DEVICE_FD, utf8(`${bdf}\0`)));
  if (fd < 0) await tool.failErrno(`VFIO_GROUP_GET_DEVICE_FD ${bdf}`, fd);
  return fd;
}

async function act(tool: Tool, fd: number, words: string[]): Promise<boolean> {
  const { sys, out } = tool;
  const what = words.shift() ?? '';
  const numbers = (count: number): readonly number[] => words.splice(0, count).map(Number);
  const told = (result: number): string => (result < 0 ? `-${result * -1}` : String(result));
  switch (what) {
    case 'info':
      out.put(info(sys, fd));
      return true;
    case 'regions':
      out.put(regions(sys, fd));
      return true;
    case 'reset': {
      const rc = number(sys.ioctl(fd, VFIO_DEVICE_RESET));
      if (rc < 0) await tool.failErrno('VFIO_DEVICE_RESET', rc);
      return true;
    }
    case 'ioeventfd': {
      const [index = Number.NaN, offset = Number.NaN, length = Number.NaN] = numbers(3);
      const word = words.shift();
      const event = word === 'none' ? -1 : Number(word);
      if (!valid(index, offset, length) || !Number.isInteger(event)) break;
      const place = VFIO_PCI_INDEX_TO_OFFSET(index) + offset;
      const ask = { argsz: vfio_device_ioeventfd.size, flags: length, offset: place, data: 0, fd: event };
      const rc = number(sys.ioctl(fd, VFIO_DEVICE_IOEVENTFD, encode(vfio_device_ioeventfd, ask)));
      if (rc < 0) await tool.failErrno(`VFIO_DEVICE_IOEVENTFD region ${index} +0x${hex(offset)}, ${length}`, rc);
      return true;
    }
    case 'signal': {
      const [index = Number.NaN, offset = Number.NaN] = numbers(2);
      const digits = words.shift() ?? '';
      if (!valid(index, offset) || !/^([0-9a-f]{2}){1,4}$/i.test(digits)) break;
      await signal(tool, fd, { index, offset, bytes: unhex(digits) });
      return true;
    }
    case 'hold': {
      const [seconds = Number.NaN] = numbers(1);
      if (!valid(seconds)) break;
      await out.flush();
      await sys.nanosleep(seconds * 1e9);
      return true;
    }
    case 'read': {
      const [index = Number.NaN, offset = Number.NaN, length = Number.NaN] = numbers(3);
      if (!valid(index, offset, length)) break;
      const bytes = new Uint8Array(length);
      const got = sys.pread(fd, bytes, VFIO_PCI_INDEX_TO_OFFSET(index) + offset);
      if (got < 0) await tool.failErrno(`pread region ${index} +0x${hex(offset)}, ${length}`, got);
      else out.put(`region ${index} +0x${hex(offset)}: ${dump(bytes.subarray(0, got))}\n`);
      return true;
    }
    case 'write': {
      const [index = Number.NaN, offset = Number.NaN] = numbers(2);
      const digits = words.shift() ?? '';
      if (!valid(index, offset, 1) || !/^([0-9a-f]{2})+$/i.test(digits)) break;
      const bytes = unhex(digits);
      const put = sys.pwrite(fd, bytes, VFIO_PCI_INDEX_TO_OFFSET(index) + offset);
      if (put < 0) await tool.failErrno(`pwrite region ${index} +0x${hex(offset)}, ${bytes.length}`, put);
      else out.put(`region ${index} +0x${hex(offset)}: ${told(put)} written\n`);
      return true;
    }
    case 'map': {
      const [index = Number.NaN, offset = Number.NaN] = numbers(2);
      if (!valid(index, offset, 1)) break;
      const page = Math.floor(offset / 4096) * 4096;
      const at = sys.mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, VFIO_PCI_INDEX_TO_OFFSET(index) + page);
      if (at < 0) {
        await tool.failErrno(`mmap region ${index} +0x${hex(offset)}`, at);
        return true;
      }
      await out.flush();
      const bytes = new Uint8Array(16);
      sys.mem.read(at + Math.min(offset - page, 4080), bytes);
      out.put(`region ${index} +0x${hex(offset)} mapped: ${dump(bytes)}\n`);
      sys.munmap(at, 4096);
      return true;
    }
  }
  await tool.fail(`"${what}" is not understood, or numbers are missing behind it; see vfio-poke --help`, 2);
  return false;
}

/** VFIO_DEVICE_IOEVENTFD with an event file of one's own, then one signal. */
async function signal(
  tool: Tool,
  fd: number,
  write: { readonly index: number; readonly offset: number; readonly bytes: Uint8Array },
): Promise<void> {
  const { sys, out } = tool;
  const { index, offset, bytes } = write;
  const event = sys.eventfd(0, 0);
  const data = bytes.reduceRight((value, byte) => value * 256 + byte, 0);
  const place = VFIO_PCI_INDEX_TO_OFFSET(index) + offset;
  const ask = { argsz: vfio_device_ioeventfd.size, flags: bytes.length, offset: place, data, fd: event };
  const rc = number(sys.ioctl(fd, VFIO_DEVICE_IOEVENTFD, encode(vfio_device_ioeventfd, ask)));
  if (rc < 0) {
    sys.close(event);
    return tool.failErrno(`VFIO_DEVICE_IOEVENTFD region ${index} +0x${hex(offset)}, ${bytes.length}`, rc);
  }
  await sys.write(event, Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0));
  out.put(`region ${index} +0x${hex(offset)}: event file signalled\n`);
}

const unhex = (digits: string): Uint8Array =>
  Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
const valid = (...values: readonly number[]): boolean =>
  values.every((value) => Number.isSafeInteger(value) && value >= 0);
const dump = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');

function info(sys: Sys, fd: number): string {
  const bytes = encode(vfio_device_info, { argsz: 256 }, new Uint8Array(256));
  const rc = number(sys.ioctl(fd, VFIO_DEVICE_GET_INFO, bytes));
  if (rc < 0) return `GET_INFO: ${rc}\n`;
  const { flags, num_regions, num_irqs, cap_offset } = decode(vfio_device_info, bytes);
  const head = `flags 0x${hex(flags)}, ${num_regions} regions, ${num_irqs} interrupts\n`;
  const at = cap_offset ? findInfoCap(bytes, cap_offset, VFIO_DEVICE_INFO_CAP_CXL) : 0;
  if (!at) return head;
  const layout = cap_cxl_layout(bytes, at);
  if (layout === vfio_device_info_cap_cxl_v3) {
    const cap = decode(vfio_device_info_cap_cxl_v3, bytes, at);
    return `${head}CXL capability: flags 0x${hex(cap.flags)}, memory region ${cap.hdm_region_idx}, register region ${cap.comp_reg_region_idx}, BAR ${cap.comp_reg_bar} at 0x${hex(cap.comp_reg_offset)} size 0x${hex(cap.comp_reg_size)}\n`;
  }
  const cap = decode(vfio_device_info_cap_cxl, bytes, at);
  return `${head}CXL capability: hdm_count ${cap.hdm_count}, BAR ${cap.hdm_reg_bar_index}, HDM at 0x${hex(cap.hdm_reg_offset)} size 0x${hex(cap.hdm_reg_size)}, DPA size 0x${hex(cap.dpa_size)}\n`;
}

function regions(sys: Sys, fd: number): string {
  const bytes = encode(vfio_device_info, { argsz: vfio_device_info.size });
  if (number(sys.ioctl(fd, VFIO_DEVICE_GET_INFO, bytes)) < 0) return '';
  let text = '';
  for (let index = 0; index < decode(vfio_device_info, bytes).num_regions; index++) {
    const ask = encode(vfio_region_info, { argsz: vfio_region_info.size, index });
    if (number(sys.ioctl(fd, VFIO_DEVICE_GET_REGION_INFO, ask)) < 0) continue;
    const { size, flags, offset } = decode(vfio_region_info, ask);
    if (size > 0) text += `region ${index}: size 0x${hex(size)} flags 0x${hex(flags)} offset 0x${hex(offset)}\n`;
  }
  return text;
}
