import { hex0x } from '../base/addr.ts';
import { text as decode, utf8 } from '../base/bytes.ts';
import { O_RDONLY } from '../linux/uapi/constants.ts';
import type { Program, Sys } from '../linux/uapi/sys.ts';
import type { EventLog, MachineId } from '../log/index.ts';
import { functionsOf } from '../state/functions.ts';
import type { PciFunctionState } from '../state/schema.ts';
import { XLAT_SPACES, xlat } from '../state/xlat.ts';
import { hostHolder } from '../state/xlat-host.ts';
import { chainJson, chainText, parseAddress, parseQuery } from '../state/xlat-text.ts';
import { liveState } from './live-state.ts';

/**
 * `xlat ADDR…`: the chain of an address, typed on any machine. It is the lab's own command and no program of a real
 * machine: beside system calls (with which it finds regions and memory devices in sysfs) it reads the lab's event log,
 * which the lab hands to it when it puts the images together, as it does for QEMU. It changes nothing.
 */

const HELP = `Usage: xlat [--json] ADDR...
A command of this lab, not of Linux: follows an address through every space it passes, with the arithmetic of each hop,
or says where and why it ends. It reads the lab's state and changes nothing.

ADDR is one of
  0x490000100, 19595788544   an address of this machine: physical on the host and in L1, guest-physical in L2
  region0+0x100              offset in a CXL region of this machine
  mem0+0x100                 device physical address of a CXL memory device of this machine
  SPACE:ADDR                 an address of another space: ${XLAT_SPACES.join(', ')}
`;

interface Query {
  readonly space: (typeof XLAT_SPACES)[number] | 'host-phys';
  readonly address: number;
  readonly device?: PciFunctionState;
}

function contents(sys: Sys, path: string): string | null {
  const fd = sys.open(path, O_RDONLY);
  if (fd < 0) return null;
  const buffer = new Uint8Array(256);
  const count = sys.pread(fd, buffer, 0);
  sys.close(fd);
  return count < 0 ? null : decode(buffer.subarray(0, count)).trim();
}

const DEVICES = '/sys/bus/cxl/devices';

export function createXlatProgram({ log, machine }: { log: EventLog; machine: MachineId }): Program {
  const own = machine === 'host' ? 'host-phys' : machine === 'l1' ? 'l1-hpa' : 'l2-gpa';

  /** An operand, or the sentence saying what is wrong with it. */
  function parse(sys: Sys, word: string): Query | string {
    const named = /^(region|mem)(\d+)(?:\+(.*))?$/.exec(word);
    if (named) {
      const name = `${named[1]}${named[2]}`;
      const offset = named[3] === undefined ? 0 : parseAddress(named[3]);
      if (offset === null) return `"${named[3]}" in "${word}" is not an offset: decimal or 0x… below 2^52 is meant`;
      return named[1] === 'region' ? inRegion(sys, name, offset) : onDevice(sys, name, offset);
    }
    if (word.includes(':')) {
      const query = parseQuery(word);
      return typeof query === 'string' ? query : { space: query[0], address: query[1] };
    }
    const address = parseAddress(word);
    if (address === null)
      return `"${word}" is not an address: 0x… or decimal below 2^52, region0+OFFSET, mem0+OFFSET or SPACE:ADDR is meant`;
    return { space: own, address };
  }

  function inRegion(sys: Sys, name: string, offset: number): Query | string {
    const base = contents(sys, `${DEVICES}/${name}/resource`);
    const size = contents(sys, `${DEVICES}/${name}/size`);
    if (base === null || size === null) return `there is no ${name} on this machine`;
    const start = parseAddress(base);
    if (start === null) return `${name} has no address yet: its size is not set`;
    if (offset >= Number(size)) return `${hex0x(offset)} is beyond the end of ${name}, which has ${size} bytes`;
    return { space: own, address: start + offset };
  }

  function onDevice(sys: Sys, name: string, offset: number): Query | string {
    const link = sys.readlink(`${DEVICES}/${name}`);
    const bdf = typeof link === 'string' ? /([0-9a-f]{2}:[0-9a-f]{2}\.[0-7])\/mem\d+$/.exec(link)?.[1] : undefined;
    const device = functionsOf(liveState(log), machine).find((fn) => fn.bdf === bdf);
    if (bdf === undefined || !device) return `there is no ${name} on this machine`;
    return { space: 'dpa', address: offset, device };
  }

  function answer(query: Query, json: boolean): string {
    const reader = liveState(log);
    if (query.space !== 'host-phys') {
      const chain = xlat(reader, query.space, query.address, query.device);
      return json ? `${JSON.stringify(chainJson(chain))}\n` : chainText(chain, reader);
    }
    const { address } = query;
    const holder = hostHolder(reader, address);
    const card = functionsOf(reader, 'l1').find((fn) => fn.backend !== undefined && fn.backend.id === holder?.mapping);
    const below = holder?.l1
      ? xlat(reader, 'l1-hpa', holder.l1.address)
      : holder && card
        ? xlat(reader, 'backend', holder.offset, card)
        : null;
    if (json) return `${JSON.stringify({ host: hex0x(address), holder, chain: below ? chainJson(below) : null })}\n`;
    const head = `host physical:${hex0x(address)}\n`;
    if (!holder) return `${head}  ends: No process of the host has ${hex0x(address)} mapped for a virtual machine.\n`;
    const mapped = `${head}  host QEMU HVA ${hex0x(holder.hva)}  page tables of pid ${holder.pid}, ${holder.mapping} + ${hex0x(holder.offset)}\n`;
    if (!below)
      return `${mapped}  ends: No memory slot of L1 lies there: ${holder.mapping} is reached through the decoders of its device.\n`;
    const how = holder.l1 ? `L1 KVM slot ${holder.l1.slot}` : `memory backend of ${card?.id}`;
    return `${mapped}  ${how}\n${chainText(below, reader)}`;
  }

  return async (sys, argv) => {
    const words = argv.slice(1);
    const put = (fd: number, text: string) => sys.write(fd, utf8(text));
    if (words.includes('--help') || words.includes('-h')) {
      await put(1, HELP);
      return 0;
    }
    const json = words.includes('--json');
    const operands = words.filter((word) => word !== '--json');
    const strange = operands.find((word) => word.startsWith('-'));
    if (strange !== undefined) {
      await put(2, `xlat: unknown option "${strange}"; --json and --help are the options\n`);
      return 2;
    }
    if (operands.length === 0) {
      await put(2, 'xlat: an address is missing; try xlat --help\n');
      return 2;
    }
    let status = 0;
    for (const word of operands) {
      const query = parse(sys, word);
      if (typeof query === 'string') {
        await put(2, `xlat: ${query}\n`);
        status = 2;
      } else await put(1, answer(query, json));
    }
    return status;
  };
}
