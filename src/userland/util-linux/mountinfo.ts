/** /proc/self/mountinfo, read as libmount does. */
import type { Sys } from '../../linux/uapi/sys.ts';
import { readFileText } from '../misc/io.ts';

export interface MountEntry {
  readonly source: string;
  readonly target: string;
  readonly type: string;
  readonly options: string;
  /** `major:minor` */
  readonly device: string;
  readonly id?: number;
  readonly parent?: number;
}

export async function mounts(sys: Sys): Promise<MountEntry[]> {
  const text = await readFileText(sys, '/proc/self/mountinfo');
  if (typeof text === 'number') return [];
  return text.split('\n').flatMap((line): MountEntry[] => {
    const m = /^(\d+) (\d+) (\S+) \S+ (\S+) (\S+) .*?- (\S+) (\S+) \S*$/.exec(line);
    if (!m) return [];
    const [, id, parent, device = '', target = '', options = '', type = '', source = ''] = m;
    return [{ source, target, type, options, device, id: Number(id), parent: Number(parent) }];
  });
}
