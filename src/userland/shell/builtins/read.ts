/** read: one line, split by IFS. */
import { decode, isatty, strerror } from '../../misc/io.ts';
import type { Builtin, Shell } from '../shell.ts';
import { runSignalTraps } from '../traps.ts';
import { options } from './options.ts';

export const read: Builtin = async (sh, args) => {
  const o = await options(
    sh,
    'read',
    args,
    'ersa:d:n:N:p:t:u:i:',
    'read [-ers] [-a array] [-d delim] [-n nchars] [-N nchars] [-p prompt] [-t timeout] [-u fd] [name ...]',
  );
  if (!o) return 2;
  const fd = Number(o.get('u') ?? 0);
  const delimiter = o.has('N') ? -1 : o.has('d') ? (o.get('d') ?? '').charCodeAt(0) || 0 : 10;
  const limit = Number(o.get('n') ?? o.get('N') ?? Number.POSITIVE_INFINITY);
  if (o.has('p') && (await isatty(sh.sys, fd))) sh.sys.write(2, new TextEncoder().encode(o.get('p') ?? ''));
  const bytes: number[] = [];
  const one = new Uint8Array(1);
  let status = 0;
  const timeout = o.has('t') ? Number(o.get('t')) : null;
  if (timeout !== null && Number.isNaN(timeout)) {
    await sh.error(`read: ${o.get('t')}: invalid timeout specification`);
    return 1;
  }
  const until = timeout === null ? 0 : sh.sys.clockGettime('monotonic') + timeout * 1e9;
  let escaped = false;
  const raw = o.has('r');
  for (;;) {
    if (bytes.length >= limit) break;
    if (timeout !== null) {
      const left = Math.max(0, until - sh.sys.clockGettime('monotonic'));
      const ready = await sh.sys.pollIn([fd], left);
      if (ready.length === 0) {
        status = 142;
        break;
      }
      if (timeout === 0) return 0;
    }
    const r = sh.sys.read(fd, one);
    const n = typeof r === 'number' ? r : await r;
    if (n === -4) {
      await runSignalTraps(sh);
      continue;
    }
    if (n < 0) {
      await sh.error(`read: read error: ${fd}: ${strerror(n)}`);
      return 1;
    }
    if (n === 0) {
      status = 1;
      break;
    }
    const c = one[0] ?? 0;
    if (!raw && escaped) {
      escaped = false;
      if (c === 10) {
        bytes.pop();
        continue;
      }
    } else if (!raw && c === 92) escaped = true;
    else if (c === delimiter) break;
    bytes.push(c);
  }
  const line = decode(new Uint8Array(bytes));
  assignFields(sh, o.get('a'), o.rest, line, raw, o.has('N'));
  return status;
};

/** Splits a line by IFS into names; the last gets the rest. */
function assignFields(
  sh: Shell,
  array: string | undefined,
  names: readonly string[],
  line: string,
  raw: boolean,
  whole: boolean,
): void {
  const ifs = sh.vars.get('IFS') ?? ' \t\n';
  const unquote = (t: string): string => (raw ? t : t.replace(/\\([\s\S])/g, '$1'));
  if (!array && names.length === 0) {
    sh.vars.set('REPLY', unquote(line));
    return;
  }
  if (whole) {
    sh.vars.set(names[0] ?? 'REPLY', unquote(line));
    return;
  }
  const white = (c: string): boolean => ifs.includes(c) && /\s/.test(c);
  const fields: string[] = [];
  let i = 0;
  const want = array ? Number.POSITIVE_INFINITY : names.length;
  while (i < line.length && white(line[i] ?? '')) i++;
  while (i < line.length) {
    if (fields.length === want - 1) {
      let rest = line.slice(i);
      while (rest && white(rest.at(-1) ?? '') && rest.at(-2) !== '\\') rest = rest.slice(0, -1);
      // One closing separator after the only remaining field is dropped.
      const inner = [...rest].filter((c) => ifs.includes(c) && !white(c)).length;
      if (inner === 1 && ifs.includes(rest.at(-1) ?? '') && !white(rest.at(-1) ?? '')) rest = rest.slice(0, -1);
      fields.push(rest);
      break;
    }
    let field = '';
    while (i < line.length && !ifs.includes(line[i] ?? '')) {
      if (!raw && line[i] === '\\') field += line[i++];
      field += line[i++] ?? '';
    }
    fields.push(field);
    while (i < line.length && white(line[i] ?? '')) i++;
    if (i < line.length && ifs.includes(line[i] ?? '') && !white(line[i] ?? '')) {
      i++;
      while (i < line.length && white(line[i] ?? '')) i++;
    }
  }
  if (array) {
    const v = sh.vars.ensure(array);
    v.value = undefined;
    v.array = new Map(fields.map((f, n) => [n, unquote(f)]));
  } else
    names.forEach((name, n) => {
      sh.vars.set(name, unquote(fields[n] ?? ''));
    });
}
