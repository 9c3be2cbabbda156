/** The control files of tracefs as trace-cmd drives them. */
import { O_TRUNC, O_WRONLY } from '../../linux/uapi/constants.ts';
import type { Sys } from '../../linux/uapi/sys.ts';
import { encode, readFileText, strerror, writeAll } from '../misc/io.ts';

const DIR = '/sys/kernel/tracing';

export interface Setup {
  readonly plugin: string | null;
  readonly events: readonly string[];
  /** -l, -n, -g: functions to trace, not to trace, to draw graphs of. */
  readonly functions: readonly string[];
  readonly notrace: readonly string[];
  readonly graphs: readonly string[];
}

export class Tracefs {
  constructor(private readonly sys: Sys) {}

  present(): boolean {
    return this.sys.access(`${DIR}/current_tracer`, 0) === 0;
  }
  /** Empty when it cannot be read. */
  async read(name: string): Promise<string> {
    const text = await readFileText(this.sys, `${DIR}/${name}`);
    return typeof text === 'number' ? '' : text;
  }
  /** 0 or a negated errno. */
  async write(name: string, text: string, truncate = false): Promise<number> {
    const fd = this.sys.open(`${DIR}/${name}`, O_WRONLY | (truncate ? O_TRUNC : 0));
    if (fd < 0) return fd;
    const ret = text === '' ? 0 : await writeAll(this.sys, fd, encode(`${text}\n`));
    this.sys.close(fd);
    return ret;
  }

  /** Puts everything in place with tracing off; what is wrong, or null. */
  async set({ plugin, events, functions, notrace, graphs }: Setup): Promise<string | null> {
    await this.write('tracing_on', '0');
    await this.off();
    for (const [file, words, option] of [
      ['set_ftrace_filter', functions, 'filter'],
      ['set_ftrace_notrace', notrace, 'notrace'],
      ['set_graph_function', graphs, 'graph'],
    ] as const)
      for (const word of words) {
        const ret = await this.write(file, word);
        if (ret < 0) return `${strerror(ret)}\n  Failed to write ${word} to ${option} file ${DIR}/${file}`;
      }
    if (plugin !== null) {
      const known = (await this.read('available_tracers')).trim().split(' ');
      if (!known.includes(plugin)) return `Invalid argument\n  Plugin '${plugin}' does not exist`;
      await this.write('current_tracer', plugin);
    }
    for (const event of events) {
      const ret = await this.write('set_event', event === 'all' ? '*:*' : event);
      if (ret < 0) return `Invalid argument\n  No events enabled with ${event}`;
    }
    await this.write('trace', '', true);
    return null;
  }
  /** No tracer, no events, no filters. */
  async off(): Promise<void> {
    await this.write('current_tracer', 'nop');
    for (const file of ['set_event', 'set_ftrace_filter', 'set_ftrace_notrace', 'set_graph_function'])
      await this.write(file, '', true);
  }
}
