/** logger: a line into the kernel's ring buffer. */
import { O_WRONLY } from '../../linux/uapi/constants.ts';
import type { Program } from '../../linux/uapi/sys.ts';
import { complain, strerror, utf8, writeAll } from '../misc/io.ts';

export const logger: Program = async (sys, argv) => {
  const words = argv.slice(1).filter((a, i, all) => !a.startsWith('-') && !/^-[tp]$/.test(all[i - 1] ?? ''));
  const tag = argv[argv.indexOf('-t') + 1];
  const fd = sys.open('/dev/kmsg', O_WRONLY);
  const r =
    fd < 0 ? fd : await writeAll(sys, fd, utf8(`<13>${argv.includes('-t') ? tag : 'root'}: ${words.join(' ')}\n`));
  if (r < 0) await complain(sys, `logger: ${strerror(r)}`);
  return r < 0 ? 1 : 0;
};
