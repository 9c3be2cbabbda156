/**
 * kvm_stat of the kernel's tools/kvm, once-only mode (-1): the counters of /sys/kernel/debug/kvm and how they changed in a second.
 * Left out: the interactive screen, trace points, per-guest fields.
 */
import { isDir, listDir } from '../coreutils/paths.ts';
import { complain, readFileText } from '../misc/io.ts';
import { defineTool } from '../misc/tool.ts';

const DIR = '/sys/kernel/debug/kvm';

export const kvm_stat = defineTool(
  {
    name: 'kvm_stat',
    usage: '-1 [OPTION]...',
    about: 'Shows the event counters of KVM.',
    misuse: 2,
    options: [
      ['-1, --once, --batch', 'once, for a second'],
      ['-d, --debugfs', 'from debugfs'],
      ['-f, --fields PATTERN', 'only fields that match'],
    ],
  },
  async (t) => {
    if (!isDir(t.sys.stat('/sys/kernel/debug'))) {
      await complain(
        t.sys,
        'Please make sure, that debugfs is mounted and readable by the current user:\n(mount -t debugfs debugfs /sys/kernel/debug)',
      );
      return 1;
    }
    const names = listDir(t.sys, DIR);
    if (typeof names === 'number') {
      await complain(t.sys, 'Please make sure, that the kvm module is loaded.');
      return 1;
    }
    if (!t.has('1')) {
      await t.fail('the interactive screen is not in this build; use -1');
      return 1;
    }
    const wanted = new RegExp(`^(?:${t.get('f') ?? '.*'})`);
    const fields = names.filter((name) => !isDir(t.sys.stat(`${DIR}/${name}`)) && wanted.test(name));
    const values = async (): Promise<number[]> => {
      const list: number[] = [];
      for (const name of fields) list.push(Number((await readFileText(t.sys, `${DIR}/${name}`)).toString().trim()));
      return list;
    };
    const before = await values();
    await t.sys.nanosleep(1e9);
    const after = await values();
    for (const [n, name] of fields.entries()) {
      const value = after[n] ?? 0;
      t.out.line(`${name.padEnd(42)}${String(value).padStart(10)}${String(value - (before[n] ?? 0)).padStart(10)}`);
    }
    return 0;
  },
);
