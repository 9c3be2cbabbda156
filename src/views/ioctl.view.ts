/** The ioctl a row of the log belongs to, with the structure that went in and came out (VFIO's and iommufd's are logged). */
import { Row } from '../log/index.ts';
import type { MirrorLog } from '../mirror/mirror-log.ts';
import { publishedAs } from '../state/functions.ts';
import type { IoctlArgument } from '../state/schema.ts';

export interface LoggedIoctl {
  /** Row at which its span begins. */
  readonly row: number;
  readonly request: number;
  readonly argument: IoctlArgument;
  readonly result: number | null;
}

/** Rows of one ioctl before its argument is told: opening a device is the longest. */
const LONGEST = 200_000;

/** The ioctl at a row, or the innermost one around it. */
export function ioctlAt(log: MirrorLog, row: number): LoggedIoctl | null {
  const { kind, a, b, c, cause } = log.columns;
  const begun = [row, ...log.causes(row)].find((one) => kind[one] === Row.BEGIN && isIoctl(log, a[one] as number));
  if (begun === undefined) return null;
  const end = Math.min(log.head, begun + LONGEST);
  let argument: IoctlArgument | null = null;
  for (let at = begun + 1; at < end; at++) {
    if (kind[at] === Row.NOTE && cause[at] === begun + 1 && isIoctl(log, a[at] as number))
      argument = publishedAs<IoctlArgument>(log.value(c[at] as number));
    if (kind[at] !== Row.END || a[at] !== begun + 1) continue;
    return argument && { row: begun, request: b[begun] as number, argument, result: b[at] as number };
  }
  return argument && { row: begun, request: b[begun] as number, argument, result: null };
}

function isIoctl(log: MirrorLog, site: number): boolean {
  return log.site(site)?.cite === 'ioctl(2)';
}
