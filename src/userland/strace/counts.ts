/** strace -c: how often each call was made, how long it took, how often it failed. */
import type { SyscallName } from '../../linux/uapi/ptrace.ts';

interface Count {
  calls: number;
  errors: number;
  ns: number;
}

const RULE = '------ ----------- ----------- --------- --------- ----------------';

export class CallCounts {
  private readonly counts = new Map<SyscallName, Count>();

  add(name: SyscallName, ns: number, failed: boolean): void {
    const count = this.counts.get(name) ?? { calls: 0, errors: 0, ns: 0 };
    count.calls++;
    count.ns += ns;
    if (failed) count.errors++;
    this.counts.set(name, count);
  }

  /** The table, longest time first. */
  table(): string {
    const rows = [...this.counts].sort(([a, x], [b, y]) => y.ns - x.ns || y.calls - x.calls || (a < b ? -1 : 1));
    const total: Count = { calls: 0, errors: 0, ns: 0 };
    for (const [, count] of rows) {
      total.calls += count.calls;
      total.errors += count.errors;
      total.ns += count.ns;
    }
    const row = (name: string, count: Count): string => {
      const share = total.ns === 0 ? 0 : (100 * count.ns) / total.ns;
      const errors = count.errors === 0 ? '' : String(count.errors);
      const each = count.calls === 0 ? 0 : Math.round(count.ns / 1000 / count.calls);
      return (
        `${share.toFixed(2).padStart(6)} ${(count.ns / 1e9).toFixed(6).padStart(11)} ${String(each).padStart(11)} ` +
        `${String(count.calls).padStart(9)} ${errors.padStart(9)} ${name}\n`
      );
    };
    const head = '% time     seconds  usecs/call     calls    errors syscall\n';
    const body = rows.map(([name, count]) => row(name, count)).join('');
    return `${head}${RULE}\n${body}${RULE}\n${row('total', total)}`;
  }
}
