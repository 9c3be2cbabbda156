/**
 * The two option syntaxes of QEMU: QemuOpts (util/qemu-option.c: `-device`, `-m`, `-smp`) and keyval (util/keyval.c:
 * `-machine`, `-object`, `-accel`), both `key=value,key=value` with `,,` for a comma and an implied first key.
 */
import { error_setg } from './error.ts';

/** One option group of the command line, in order. Repeated keys keep the last value. */
export interface Opts {
  /** The text after the option, as given: part of error locations. */
  readonly text: string;
  readonly id: string | null;
  readonly values: ReadonlyMap<string, string>;
}

/** Splits at single commas; `,,` is one comma of the value. */
export function splitCommas(text: string): string[] {
  const parts: string[] = [];
  let part = '';
  for (let at = 0; at < text.length; at++) {
    if (text[at] !== ',') part += text[at];
    else if (text[at + 1] === ',') {
      part += ',';
      at++;
    } else {
      parts.push(part);
      part = '';
    }
  }
  if (part !== '' || parts.length === 0) parts.push(part);
  return parts;
}

/** opts_do_parse: `impliedKey` takes the first part if that has no `=`; a later part without `=` means `on` (`no…` means `off`). */
export function qemu_opts_parse(text: string, impliedKey: string | null): Opts {
  const values = new Map<string, string>();
  let id: string | null = null;
  splitCommas(text).forEach((part, n) => {
    const eq = part.indexOf('=');
    let key = part;
    let value = 'on';
    if (eq >= 0) {
      key = part.slice(0, eq);
      value = part.slice(eq + 1);
    } else if (n === 0 && impliedKey !== null) {
      key = impliedKey;
      value = part;
    } else if (part.startsWith('no') && part.length > 2) {
      key = part.slice(2);
      value = 'off';
    }
    if (key === 'id') {
      if (!/^[A-Za-z][A-Za-z0-9\-._]*$/.test(value)) error_setg("Parameter 'id' expects an identifier");
      id = value;
    } else values.set(key, value);
  });
  return { text, id, values };
}

/** keyval_parse into flat dotted keys. */
export function keyval_parse(text: string, impliedKey: string | null): Map<string, string> {
  const values = new Map<string, string>();
  splitCommas(text).forEach((part, n) => {
    if (part === '' && n > 0) return;
    const eq = part.indexOf('=');
    if (eq >= 0) {
      const key = part.slice(0, eq);
      if (!/^[A-Za-z0-9][A-Za-z0-9\-_.]*$/.test(key)) error_setg(`Invalid parameter '${key}'`);
      values.set(key, part.slice(eq + 1));
    } else if (n === 0 && impliedKey !== null) values.set(impliedKey, part);
    else if (part === 'help' || part === '?') values.set('help', 'on');
    else error_setg(`Expected '=' after parameter '${part}'`);
  });
  return values;
}

/** qapi_bool_parse: on/off and friends. */
export function qapi_bool_parse(name: string, value: string): boolean {
  if (value === 'on' || value === 'yes' || value === 'true' || value === 'y') return true;
  if (value === 'off' || value === 'no' || value === 'false' || value === 'n') return false;
  return error_setg(`Parameter '${name}' expects 'on' or 'off'`);
}

/** `unix:PATH,server=on,wait=off` and its like: a socket that listens and does not hold the machine up. Nobody ever connects to it here. */
export function isWaitingSocket(text: string): boolean {
  const [address = '', ...flags] = splitCommas(text);
  const has = (...names: string[]) => flags.some((flag) => names.includes(flag));
  return /^(unix|tcp|telnet):/.test(address) && has('server', 'server=on') && has('nowait', 'wait=off');
}
