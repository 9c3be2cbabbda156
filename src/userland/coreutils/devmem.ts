/** busybox's devmem applet (miscutils/devmem.c): one load or store of physical memory through /dev/mem. */
import { hex, TWO32, type Width } from '../../base/addr.ts';
import { MAP_SHARED, O_RDONLY, O_RDWR, O_SYNC, PROT_READ, PROT_WRITE } from '../../linux/uapi/constants.ts';
import type { Program } from '../../linux/uapi/sys.ts';
import { complain, strerror, writeText } from '../misc/io.ts';

const USAGE = `Usage: devmem ADDRESS [WIDTH [VALUE]]

Reads a physical address, or writes it if VALUE is given

\tADDRESS\tAddress to act upon
\tWIDTH\tWidth (8/16/...)
\tVALUE\tData to be written
`;
const WIDTHS: Record<string, Width> = { '8': 1, '16': 2, '32': 4, '64': 8, b: 1, h: 2, w: 4, l: 8 };

/** strtoull with base 0; null unless the whole text is a number. */
function parse(text: string): bigint | null {
  if (/^0[xX][0-9a-fA-F]+$/.test(text) || /^(0|[1-9]\d*)$/.test(text)) return BigInt(text);
  return /^0[0-7]+$/.test(text) ? BigInt(`0o${text.slice(1)}`) : null;
}

export const devmem: Program = async (sys, argv) => {
  const [, address, size, data] = argv;
  const at = address === undefined ? null : parse(address);
  const width: Width | undefined = size === undefined ? 4 : WIDTHS[size];
  const value = data === undefined ? null : parse(data);
  if (at === null || width === undefined || (data !== undefined && value === null) || argv.length > 4) {
    if (at === null && address !== undefined && !address.startsWith('-'))
      await complain(sys, `devmem: invalid number '${address}'`);
    else if (data !== undefined && value === null) await complain(sys, `devmem: invalid number '${data}'`);
    else await writeText(sys, 2, USAGE);
    return 1;
  }
  if (at >= 1n << 52n) {
    await complain(sys, `devmem: mmap: ${strerror(22)}`);
    return 1;
  }
  const target = Number(at);
  const fd = sys.open('/dev/mem', (value === null ? O_RDONLY : O_RDWR) | O_SYNC);
  if (fd < 0) {
    await complain(sys, `devmem: can't open '/dev/mem': ${strerror(fd)}`);
    return 1;
  }
  const page = target - (target % 4096);
  const inPage = target - page;
  const length = inPage + width > 4096 ? 8192 : 4096;
  const map = sys.mmap(0, length, value === null ? PROT_READ : PROT_READ | PROT_WRITE, MAP_SHARED, fd, page);
  if (map < 0) {
    await complain(sys, `devmem: mmap: ${strerror(map)}`);
    return 1;
  }
  if (value === null) {
    const lo = sys.mem.load(map + inPage, width);
    const text = width === 8 ? hex(sys.mem.hi, 8) + hex(lo, 8) : hex(lo, width * 2);
    await writeText(sys, 1, `0x${text.toUpperCase()}\n`);
  } else {
    const v = BigInt.asUintN(width * 8, value);
    sys.mem.store(map + inPage, width, Number(v % BigInt(TWO32)), Number(v / BigInt(TWO32)));
  }
  sys.munmap(map, length);
  sys.close(fd);
  return 0;
};

/** `busybox APPLET …`: only the applets this lab has as programs of their own. */
export const busybox =
  (applets: () => ReadonlyMap<string, Program>): Program =>
  async (sys, argv, env) => {
    const name = argv[1];
    if (name === undefined || name === '--help') {
      await writeText(
        sys,
        1,
        `BusyBox v1.36.1 (cxlab) multi-call binary.\n\nUsage: busybox [function [arguments]...]\n\nCurrently defined functions:\n\t${[...applets().keys()].sort().join(', ')}\n`,
      );
      return 0;
    }
    if (name === '--list') {
      await writeText(sys, 1, `${[...applets().keys()].sort().join('\n')}\n`);
      return 0;
    }
    const program = applets().get(name);
    if (!program || name === 'busybox') {
      await complain(sys, `${name}: applet not found`);
      return 127;
    }
    return program(sys, argv.slice(1), env);
  };
