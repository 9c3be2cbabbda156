import { SIGTERM, SIGUSR1, SIGUSR2 } from './constants.ts';

/** What programs and process 1 have agreed on: the signals busybox' init takes its orders by, and how to see in /proc whether somebody listens. */
export type PowerCommand = 'restart' | 'poweroff' | 'halt';

export const SHUTDOWN_SIGNAL: Readonly<Record<PowerCommand, number>> = {
  halt: SIGUSR1,
  poweroff: SIGUSR2,
  restart: SIGTERM,
};

/** Does the mask in the text of /proc/PID/status have the signal? */
export function signalIn(status: string, mask: 'SigIgn' | 'SigCgt', signal: number): boolean {
  const found = new RegExp(`^${mask}:\\s*([0-9a-f]+)$`, 'm').exec(status)?.[1] ?? '0';
  // A digit holds four signals, the last one those from 1 on.
  const digit = found.at(-1 - Math.floor((signal - 1) / 4)) ?? '0';
  return ((Number.parseInt(digit, 16) >> ((signal - 1) % 4)) & 1) !== 0;
}
