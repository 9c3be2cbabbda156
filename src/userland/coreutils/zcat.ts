import type { Program } from '../../linux/uapi/sys.ts';
import { readAll, readFileBytes } from '../misc/io.ts';
import { defineTool } from '../misc/tool.ts';
import { gunzip } from './inflate.ts';

/** zcat (gzip 1.12): files or standard input, unpacked to standard output. `-f` copies what is not packed. */
export const zcat: Program = defineTool(
  {
    name: 'zcat',
    usage: '[OPTION]... [FILE]...',
    about: 'Unpacks files to standard output.',
    options: [['-f, --force', 'copy files that are not in gzip format']],
  },
  async (tool) => {
    for (const file of tool.args.length > 0 ? tool.args : ['-']) {
      const bytes = file === '-' ? await readAll(tool.sys, 0) : await readFileBytes(tool.sys, file);
      if (typeof bytes === 'number') {
        await tool.failErrno(file, bytes);
        continue;
      }
      const plain = gunzip(bytes) ?? (tool.has('f') ? bytes : null);
      if (plain) tool.out.bytes(plain);
      else
        await tool.fail(
          `${file === '-' ? 'stdin' : file}: ${bytes[0] === 0x1f ? 'unexpected end of file' : 'not in gzip format'}`,
        );
    }
    return 0;
  },
);
