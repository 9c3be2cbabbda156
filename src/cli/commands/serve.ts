import { UserError } from '../../base/assert.ts';
import { Bridge } from '../../lab/bridge/bridge.ts';
import type { Lab } from '../../lab/lab.ts';
import { MACHINES, type MachineId } from '../../log/index.ts';
import { type Options, options, readText, seedOf } from '../args.ts';
import { playTranscript } from '../play.ts';

/** `serve --after FILE --machine host|l1|l2`: answers requests, a JSON object a line, until standard input ends. */
export async function serve(args: string[]): Promise<number> {
  const opts = options(args, [], ['after', 'machine']);
  if (opts.rest.length > 0) throw new UserError(`serve does not know what to do with "${opts.rest[0]}"`);
  const { lab, machine } = await runningMachine('serve', opts);
  const bridge = new Bridge(lab, machine);
  for await (const line of lines(process.stdin)) {
    if (line.trim() === '') continue;
    process.stdout.write(`${JSON.stringify(await bridge.answer(line))}\n`);
  }
  lab.stop();
  return 0;
}

/** The lab after the transcript, and the machine the user named, which runs there. */
export async function runningMachine(
  command: string,
  opts: Options,
): Promise<{ readonly lab: Lab; readonly machine: MachineId }> {
  const { after, machine: name } = opts.values;
  if (after === undefined) throw new UserError(`${command} wants --after FILE, the transcript after which to begin`);
  const machine = MACHINES.find((id) => id === name);
  if (!machine)
    throw new UserError(
      name === undefined
        ? `${command} wants --machine host, l1 or l2`
        : `there is no machine "${name}"; the machines are ${MACHINES.join(', ')}`,
    );
  const lab = await playTranscript(readText(after, 'transcript'), after, seedOf(opts), () => {});
  if (lab.machines.get(machine)?.off !== false)
    throw new UserError(`${machine} is not running at the end of the transcript`);
  return { lab, machine };
}

/** Lines end at newlines only: readline would also break them at U+2028, which JSON allows in strings. */
async function* lines(input: NodeJS.ReadableStream): AsyncGenerator<string> {
  let rest = '';
  input.setEncoding('utf8');
  for await (const chunk of input) {
    const parts = (rest + String(chunk)).split('\n');
    rest = parts.pop() ?? '';
    yield* parts;
  }
  if (rest !== '') yield rest;
}
