/** Command and process substitution. */
import { strerror } from '../../base/errno.ts';
import { SIGINT } from '../../linux/uapi/constants.ts';
import { decode, openPath, readAll } from '../misc/io.ts';
import { InterruptSignal } from './control.ts';
import { expandWords } from './fields.ts';
import type * as Ast from './parse.ts';
import { NestedSource, Source } from './parse.ts';
import { fork, waitFor } from './processes.ts';
import { ExpandError } from './segments.ts';
import type { Shell } from './shell.ts';

const asText = (data: Uint8Array | number): string =>
  typeof data === 'number' ? '' : decode(data).replaceAll('\0', '').replace(/\n+$/, '');

export async function substitute(sh: Shell, script: Ast.ParsedScript | undefined, text: string): Promise<string> {
  const { sys } = sh;
  const file = readsFile(script);
  if (file) {
    const [target] = await expandWords(sh, [file]);
    const fd = openPath(sys, target ?? '');
    if (fd < 0) {
      await sh.error(`${target}: ${strerror(fd)}`);
      sh.substituted = 1;
      return '';
    }
    const data = await readAll(sys, fd);
    sys.close(fd);
    sh.substituted = 0;
    return asText(data);
  }
  const ends = sys.pipe();
  if (typeof ends === 'number') throw new ExpandError(`cannot make pipe for command substitution: ${strerror(ends)}`);
  const [read, write] = ends;
  const source = sourceOf(sh, script, text);
  const pid = fork(
    sh,
    async (child) => {
      child.sys.close(read);
      child.sys.dup2(write, 1);
      child.sys.close(write);
      child.interactive = false;
      child.indirection++;
      child.loops = 0;
      child.options.delete('monitor');
      if (!sh.shopts.has('inherit_errexit')) child.options.delete('errexit');
      child.source = source;
      return child.runScript(script, { last: true });
    },
    { keepTested: true },
  );
  sys.close(write);
  const data = await readAll(sys, read);
  sys.close(read);
  const { status, signal } = await waitFor(sh, pid);
  if (signal === SIGINT && sh.interactive) throw new InterruptSignal();
  sh.substituted = status;
  sh.status = status;
  return asText(data);
}

/** The text a nested script's nodes index. Escaped backquotes carry their own; its positions are not ours. */
function sourceOf(sh: Shell, script: Ast.ParsedScript | undefined, text: string): Source {
  if (!script) return sh.source;
  if (script.source !== undefined) return new NestedSource(script.source, sh.source.name, sh.line, script);
  const really = sh.source.text.includes(text) && !sh.source.fixed;
  return really
    ? new NestedSource(sh.source.text, sh.source.name, sh.line, script)
    : new Source(sh.source.text, sh.source.name, sh.line, { fixed: true });
}

/** `$(< file)` */
function readsFile(script: Ast.ParsedScript | undefined): Ast.Word | null {
  const only = script?.commands.length === 1 ? script.commands[0]?.command : undefined;
  if (only?.type !== 'Command' || only.name || only.prefix.length + only.suffix.length !== 1) return null;
  const r = only.redirects[0];
  return r?.type === 'Redirect' && r.operator === '<' && !r.descriptor ? (r.target ?? null) : null;
}

export function processSubstitution(
  sh: Shell,
  operator: '<' | '>',
  script: Ast.ParsedScript | undefined,
  text: string,
): string {
  const { sys } = sh;
  const ends = sys.pipe();
  if (typeof ends === 'number') throw new ExpandError(`cannot make pipe for process substitution: ${strerror(ends)}`);
  const [ours, theirs] = operator === '<' ? ends : [ends[1], ends[0]];
  const source = sourceOf(sh, script, text);
  const pid = fork(sh, async (child) => {
    child.sys.close(ours);
    child.sys.dup2(theirs, operator === '<' ? 1 : 0);
    child.sys.close(theirs);
    child.interactive = false;
    child.indirection++;
    child.loops = 0;
    child.options.delete('monitor');
    child.source = source;
    return child.runScript(script, { last: true });
  });
  sys.close(theirs);
  const high = sys.dup(ours, 63);
  const fd = high >= 0 ? high : ours;
  if (high >= 0) sys.close(ours);
  sh.procSubs.push({ fd, pid });
  sh.lastBackground = pid;
  return `/dev/fd/${fd}`;
}

/** Our ends of the pipes live as long as the command that names them. */
export function closeProcessSubstitutions(sh: Shell, from: number): void {
  for (const { fd, pid } of sh.procSubs.splice(from)) {
    sh.sys.close(fd);
    sh.strays.push(pid);
  }
}
