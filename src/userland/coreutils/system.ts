/** The machine as a whole: mount umount sync reboot poweroff halt shutdown clear reset pwd uuidgen udevadm. */
import { SIGHUP, SIGTERM } from '../../linux/uapi/constants.ts';
import { type PowerCommand, SHUTDOWN_SIGNAL, signalIn } from '../../linux/uapi/init.ts';
import type { Program } from '../../linux/uapi/sys.ts';
import { complain, readFileText, strerror, writeText } from '../misc/io.ts';
import { defineTool } from '../misc/tool.ts';

export const mount = defineTool(
  {
    name: 'mount',
    usage: '[-t TYPE] [SOURCE] [DIRECTORY]',
    about: 'Shows or makes mounts.',
    options: [
      ['-t, --types=TYPE', 'file system'],
      ['-o, --options=LIST', 'nothing here'],
      ['-a, --all', 'nothing to do here'],
    ],
  },
  async (t) => {
    if (t.args.length === 0) {
      const text = await readFileText(t.sys, '/proc/mounts');
      for (const line of typeof text === 'string' ? text.trim().split('\n') : []) {
        const [source, target, type = '', options] = line.split(' ');
        if (t.has('t') && !t.get('t')?.split(',').includes(type)) continue;
        t.out.line(`${source} on ${target} type ${type} (${options})`);
      }
      return 0;
    }
    const [source = '', target] = t.args;
    if (target === undefined) {
      await t.fail(`${source}: can't find in /etc/fstab.`, 32);
      return 32;
    }
    const r = t.sys.mount(source, target, t.get('t') ?? 'auto');
    if (r < 0) {
      await t.fail(
        `${target}: ${r === -19 ? `unknown filesystem type '${t.get('t') ?? 'auto'}'` : r === -2 ? 'mount point does not exist' : strerror(r)}.\n       dmesg(1) may have more information after failed mount system call.`,
        32,
      );
      return 32;
    }
    return 0;
  },
);

export const umount = defineTool(
  {
    name: 'umount',
    usage: 'DIRECTORY...',
    about: 'Ends mounts.',
    options: [
      ['-l, --lazy', 'nothing here'],
      ['-f, --force', 'nothing here'],
    ],
  },
  async (t) => {
    if (t.args.length === 0) {
      await t.fail("bad usage\nTry 'umount --help' for more information.");
      return 1;
    }
    for (const target of t.args) {
      const r = t.sys.umount(target);
      if (r < 0)
        await t.fail(
          `${target}: ${r === -22 ? 'not mounted' : r === -2 ? 'no mount point specified' : r === -16 ? 'target is busy' : strerror(r)}.`,
          32,
        );
    }
    return t.status;
  },
);

const power =
  (name: string, command: PowerCommand): Program =>
  async (sys, argv) => {
    if (argv.includes('--help')) {
      await writeText(
        sys,
        1,
        `Usage: ${name} [-f]\nStops the machine: ${command}. Init ends every process first; -f does without init.\n`,
      );
      return 0;
    }
    let how = command;
    if (name === 'shutdown')
      how = argv.some((a) => a === '-r' || a === '--reboot')
        ? 'restart'
        : argv.some((a) => a === '-H')
          ? 'halt'
          : 'poweroff';
    if (argv.includes('-p')) how = 'poweroff';
    if (!argv.some((a) => a === '--force' || /^-[a-z]*f/.test(a))) {
      const init = await readFileText(sys, '/proc/1/status');
      if (typeof init === 'number' || !signalIn(init, 'SigCgt', SHUTDOWN_SIGNAL[how])) {
        await complain(sys, `${name}: process 1 does not take the request; -f does without it`);
        return 1;
      }
      // Whoever asked stays until the end: its shell is not to come back with a prompt.
      for (const signal of [SIGTERM, SIGHUP]) sys.onSignal(signal, 'ignore');
      const r = sys.kill(1, SHUTDOWN_SIGNAL[how]);
      if (r === 0) for (;;) await sys.nanosleep(1e9);
    }
    sys.sync();
    const r = sys.reboot(how);
    if (r < 0) {
      await complain(sys, `${name}: ${strerror(r)}`);
      return 1;
    }
    // The kernel ends every process; until then there is nothing left to do.
    for (;;) await sys.nanosleep(1e9);
  };

export const reboot = power('reboot', 'restart');

export const poweroff = power('poweroff', 'poweroff');

export const halt = power('halt', 'halt');

export const shutdown = power('shutdown', 'poweroff');

export const clear: Program = async (sys) => {
  await writeText(sys, 1, '\x1b[H\x1b[2J\x1b[3J');
  return 0;
};

export const reset: Program = async (sys) => {
  await writeText(sys, 1, '\x1bc\x1b[!p\x1b[?3;4l\x1b[4l\x1b>');
  return 0;
};

export const sync: Program = async (sys) => {
  sys.sync();
  return 0;
};

export const pwd: Program = async (sys) => {
  await writeText(sys, 1, `${sys.getcwd()}\n`);
  return 0;
};

export const uuidgen: Program = async (sys) => {
  const text = await readFileText(sys, '/proc/sys/kernel/random/uuid');
  if (typeof text === 'number') {
    await complain(sys, `uuidgen: /proc/sys/kernel/random/uuid: ${strerror(text)}`);
    return 1;
  }
  await writeText(sys, 1, `${text.trim()}\n`);
  return 0;
};
