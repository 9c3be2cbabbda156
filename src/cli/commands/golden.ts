import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { UserError } from '../../base/assert.ts';
import { type GoldenCapture, type GoldenCommand, skipped } from '../../lab/golden/capture.ts';
import { type Difference, type Replay, replay } from '../../lab/golden/replay.ts';
import { nodeHost } from '../node-host.ts';

/**
 * `golden [--all] DIR…`: replays unpacked captures, prints scores per tool and the first differences.
 * `golden --pack DIR`: the capture as one text, the form of the tests' fixtures.
 */

const FIRST = 12;

const optional = (path: string): string => (existsSync(path) ? readFileSync(path, 'utf8') : '');

/** Memdev by serial, from the capture's own table where it has one. */
function memdevsOf(dir: string): Record<string, string> {
  const text = optional(join(dir, 'endpoint-to-device.json'));
  const out: Record<string, string> = {};
  if (text === '') return out;
  const table: unknown = JSON.parse(text);
  if (typeof table !== 'object' || table === null) return out;
  for (const entry of Object.values(table)) {
    if (typeof entry !== 'object' || entry === null || !('serial' in entry) || !('memdev' in entry)) continue;
    out[String(entry.serial)] = String(entry.memdev);
  }
  return out;
}

/** The listings of the snapshot taken before the first command. */
function snapshot(guest: string): readonly GoldenCommand[] {
  const name = readdirSync(guest).find((one) => one.startsWith('snap-00'));
  const dir = join(guest, name ?? '', 'cxl');
  if (name === undefined || !existsSync(dir)) return [];
  return readdirSync(dir)
    .filter((file) => file.endsWith('.cmd'))
    .sort()
    .map((file): GoldenCommand => {
      const part = (suffix: string) => optional(join(dir, `${file.slice(0, -4)}.${suffix}`));
      return {
        ...{ id: `${name}/${file.slice(0, -4)}`, command: part('cmd').trim(), status: Number(part('rc').trim() || 0) },
        ...{ stdout: part('out'), stderr: part('err'), dmesg: null },
      };
    });
}

export function readCapture(dir: string): GoldenCapture {
  const cmds = join(dir, 'guest', 'cmds');
  const cmdline = join(dir, 'host', 'qemu-cmdline.txt');
  if (!existsSync(cmds) || !existsSync(cmdline))
    throw new UserError(`${dir} is no capture: it needs host/qemu-cmdline.txt and guest/cmds`);
  const ids = readdirSync(cmds)
    .filter((name) => name.endsWith('.cmd'))
    .map((name) => name.slice(0, -4))
    .sort();
  return {
    name: basename(dir),
    cmdline: readFileSync(cmdline, 'utf8'),
    memdevs: memdevsOf(dir),
    commands: [
      ...snapshot(join(dir, 'guest')),
      ...ids.map((id): GoldenCommand => {
        const part = (suffix: string) => optional(join(cmds, `${id}.${suffix}`));
        return {
          ...{ id, command: part('cmd').replace(/\n$/, ''), status: Number(part('rc').trim() || 0) },
          ...{ stdout: part('stdout'), stderr: part('stderr'), dmesg: part('dmesg') },
        };
      }),
    ],
  };
}

function show(one: Difference): string {
  const { want, have } = one;
  const lines: string[] = [`  ${one.id} ${one.stream}: ${one.command}`];
  for (const line of want.filter((text) => !have.includes(text)).slice(0, 8)) lines.push(`    -${line}`);
  for (const line of have.filter((text) => !want.includes(text)).slice(0, 8)) lines.push(`    +${line}`);
  if (lines.length === 1) lines.push('    (same lines, other order or number)');
  return lines.join('\n');
}

function report(result: Replay, all: boolean): void {
  const out = (line: string) => process.stdout.write(`${line}\n`);
  out(`${result.name}`);
  for (const [tool, { equal, compared, statusEqual, commands }] of result.scores) {
    const percent = compared === 0 ? '100.0' : ((100 * equal) / compared).toFixed(1);
    const codes = commands === 0 ? '' : `, exit codes ${statusEqual}/${commands}`;
    out(`  ${tool.padEnd(10)} lines ${equal}/${compared} (${percent} %)${codes}`);
  }
  for (const [reason, count] of result.skipped) out(`  not compared: ${count} (${reason})`);
  const shown = all ? result.differences : result.differences.slice(0, FIRST);
  for (const one of shown) out(show(one));
  if (shown.length < result.differences.length) out(`  … ${result.differences.length - shown.length} more (--all)`);
}

/** One folder as one text, for the tests: only what is compared. */
function pack(dir: string): string {
  const capture = readCapture(dir);
  const commands = capture.commands.filter(({ command }) => skipped(command) === null);
  const head = { name: capture.name, cmdline: capture.cmdline, memdevs: capture.memdevs };
  return [head, ...commands].map((one) => `${JSON.stringify(one)}\n`).join('');
}

export async function golden(args: readonly string[]): Promise<number> {
  if (args[0] === '--pack' && args[1] !== undefined) {
    process.stdout.write(pack(args[1]));
    return 0;
  }
  const all = args.includes('--all');
  const dirs = args.filter((arg) => !arg.startsWith('--'));
  if (dirs.length === 0) throw new UserError('golden needs at least one folder of a capture');
  for (const dir of dirs) report(await replay(readCapture(dir), nodeHost()), all);
  return 0;
}
