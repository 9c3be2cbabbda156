/** Redirections: `> >> < <> >& <& &> 2>&1 {fd}> << <<<`, with undo for commands that run inside the shell. */
import { E, strerror } from '../../base/errno.ts';
import { O_APPEND, O_CREAT, O_EXCL, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY } from '../../linux/uapi/constants.ts';
import type { Sys } from '../../linux/uapi/sys.ts';
import { openPath, utf8, writeAll } from '../misc/io.ts';
import { expandParts, expandText } from './expand.ts';
import { expandWords } from './fields.ts';
import type { Redirection } from './parse.ts';
import type { ExpandHost } from './segments.ts';
import type { Vars } from './vars.ts';

export interface RedirectHost extends ExpandHost {
  readonly noclobber: boolean;
  /** Runs `body` in a child that writes into a descriptor (big here-documents). */
  feeder(body: (sys: Sys) => Promise<void>): void;
  readonly vars: Vars;
}

/** A refused redirection, with bash's text. */
export class RedirectError extends Error {}

interface Saved {
  readonly fd: number;
  /** Where the old file is kept, -1 if the descriptor was closed. */
  readonly copy: number;
}

export class Redirections {
  private readonly saved: Saved[] = [];

  constructor(
    private readonly h: RedirectHost,
    private readonly keep: boolean,
  ) {}

  async apply(list: readonly Redirection[]): Promise<void> {
    try {
      for (const r of list) await this.one(r);
    } catch (error) {
      this.undo();
      throw error;
    }
  }

  undo(): void {
    const { sys } = this.h;
    for (const { fd, copy } of this.saved.reverse()) {
      if (copy >= 0) {
        sys.dup2(copy, fd);
        sys.close(copy);
      } else sys.close(fd);
    }
    this.saved.length = 0;
  }

  /** `exec` makes them permanent: forget the copies. */
  commit(): void {
    for (const { copy } of this.saved) if (copy >= 0) this.h.sys.close(copy);
    this.saved.length = 0;
  }

  private save(fd: number): void {
    if (this.keep || this.saved.some((s) => s.fd === fd)) return;
    const copy = this.h.sys.dup(fd, 10);
    if (copy >= 0) this.h.sys.setCloexec(copy, true);
    this.saved.push({ fd, copy: copy >= 0 ? copy : -1 });
  }

  /** Puts open file `from` at descriptor `to` and closes the original. */
  private place(from: number, to: number): void {
    if (from === to) {
      this.h.sys.setCloexec(to, false);
      return;
    }
    this.save(to);
    this.h.sys.dup2(from, to);
    this.h.sys.close(from);
  }

  private async one(r: Redirection): Promise<void> {
    const { h } = this;
    const { sys } = h;
    const variable = r.descriptor?.type === 'FileDescriptorVariable' ? r.descriptor.name : null;
    const given = r.descriptor?.type === 'FileDescriptor' ? r.descriptor.value : null;
    const settle = (fd: number, to: number): void => {
      if (variable === null) {
        // The new file may sit exactly on the descriptor that has to be saved as closed.
        if (fd === to) {
          if (!this.keep) this.saved.push({ fd: to, copy: -1 });
        } else this.place(fd, to);
        return;
      }
      const high = sys.dup(fd, 10);
      sys.close(fd);
      h.vars.set(variable, String(high));
    };
    if (r.type === 'HereDoc' || r.type === 'HereString') {
      const body =
        r.type === 'HereString'
          ? `${r.target ? await expandText(h, r.target) : ''}\n`
          : await hereDocument(
              h,
              r.body.text,
              r.delimiter?.quoted ? null : (r.body.parts ?? null),
              r.operator === '<<-',
            );
      settle(await this.document(body), given ?? 0);
      return;
    }
    const output = r.operator !== '<' && r.operator !== '<&' && r.operator !== '<>';
    const to = given ?? (output ? 1 : 0);
    const targets = r.target ? await expandWords(h, [r.target]) : [];
    if (targets.length !== 1) throw new RedirectError(`${r.target?.text ?? ''}: ambiguous redirect`);
    const target = targets[0] ?? '';
    if (r.operator === '>&' || r.operator === '<&') {
      if (target === '-') {
        const fd = variable === null ? to : Number(h.vars.get(variable) ?? -1);
        this.save(fd);
        sys.close(fd);
        return;
      }
      const m = /^(\d+)(-)?$/.exec(target);
      if (m) {
        const source = Number(m[1]);
        if (source === to && variable === null) return;
        const copy = sys.dup(source, 10);
        if (copy < 0) throw new RedirectError(`${target}: ${strerror(E.EBADF)}`);
        settle(copy, to);
        if (m[2]) {
          this.save(source);
          sys.close(source);
        }
        return;
      }
      if (r.operator === '<&' || given !== null) throw new RedirectError(`${target}: ambiguous redirect`);
    }
    const both = r.operator === '&>' || r.operator === '&>>' || r.operator === '>&';
    const fd = this.open(r.operator, target);
    if (fd < 0) throw new RedirectError(`${target}: ${strerror(fd)}`);
    settle(fd, to);
    if (both) {
      this.save(2);
      sys.dup2(1, 2);
    }
  }

  private open(operator: string, target: string): number {
    const { sys, noclobber } = this.h;
    if (target === '') return -E.ENOENT;
    switch (operator) {
      case '<':
        return openPath(sys, target, O_RDONLY);
      case '<>':
        return openPath(sys, target, O_RDWR | O_CREAT, 0o666);
      case '>>':
      case '&>>':
        return openPath(sys, target, O_WRONLY | O_CREAT | O_APPEND, 0o666);
      default: {
        if (noclobber && operator !== '>|') {
          const stat = sys.stat(target);
          if (typeof stat !== 'number' && (stat.mode & 0o170000) === 0o100000)
            throw new RedirectError(`${target}: cannot overwrite existing file`);
          if (typeof stat === 'number') return sys.open(target, O_WRONLY | O_CREAT | O_EXCL, 0o666);
        }
        return openPath(sys, target, O_WRONLY | O_CREAT | O_TRUNC, 0o666);
      }
    }
  }

  private async document(body: string): Promise<number> {
    const { sys } = this.h;
    const ends = sys.pipe();
    if (typeof ends === 'number')
      throw new RedirectError(`cannot create temp file for here-document: ${strerror(ends)}`);
    const [read, write] = ends;
    const bytes = utf8(body);
    if (bytes.length <= 4096) await writeAll(sys, write, bytes);
    else
      this.h.feeder(async (child) => {
        child.close(read);
        await writeAll(child, write, bytes);
      });
    sys.close(write);
    return read;
  }
}

async function hereDocument(
  h: ExpandHost,
  text: string,
  parts: Parameters<typeof expandParts>[1] | null,
  strip: boolean,
): Promise<string> {
  const body = parts ? await expandParts(h, parts) : text;
  return strip ? body.replace(/^\t+/gm, '') : body;
}
