/** The program `bash` (also `sh`): argument vector, where commands come from, start files. */

import { strerror } from '../../base/errno.ts';
import { SIGINT } from '../../linux/uapi/constants.ts';
import type { Program } from '../../linux/uapi/sys.ts';
import { complain, decode, isatty, readAll, readFileText } from '../misc/io.ts';
import { VARIABLE_BUILTINS } from './builtins/declare.ts';
import { DIRECTORY_BUILTINS } from './builtins/directories.ts';
import { FLOW_BUILTINS } from './builtins/flow.ts';
import { getopts } from './builtins/getopts.ts';
import { JOB_BUILTINS } from './builtins/jobs.ts';
import { LOOKUP_BUILTINS } from './builtins/lookup.ts';
import { mapfile } from './builtins/mapfile.ts';
import { PRINT_BUILTINS } from './builtins/print.ts';
import { read } from './builtins/read.ts';
import { SET_BUILTINS, setOption } from './builtins/set.ts';
import { SYSTEM_BUILTINS } from './builtins/system.ts';
import { interact } from './interactive.ts';
import { Source } from './parse.ts';
import { runToEnd } from './processes.ts';
import { type Builtin, Shell } from './shell.ts';
import { SET_OPTIONS } from './state.ts';

export const BUILTINS: ReadonlyMap<string, Builtin> = new Map(
  Object.entries({
    ...FLOW_BUILTINS,
    ...DIRECTORY_BUILTINS,
    ...LOOKUP_BUILTINS,
    ...SYSTEM_BUILTINS,
    ...PRINT_BUILTINS,
    ...VARIABLE_BUILTINS,
    ...SET_BUILTINS,
    ...JOB_BUILTINS,
    ...{ read, mapfile, readarray: mapfile, getopts },
  }),
);

const HELP = `Usage: bash [options] [script [argument ...]]
       bash [options] -c command [name [argument ...]]
A shell: reads commands from the terminal, a script or the -c string. The language is bash's.

  -c COMMAND  run COMMAND
  -i          be interactive even if standard input is no terminal
  -l, --login read /etc/profile first
  -s          read commands from standard input
  -e -u -x …  options of the builtin set; also -o NAME
      --norc  do not read ~/.bashrc
`;

export const bash: Program = async (sys, argv, env) => {
  const name = (argv[0] ?? 'bash').replace(/^-/, '').replace(/.*\//, '') || 'bash';
  let command = false;
  let forced = false;
  let stdin = false;
  let norc = false;
  let login = (argv[0] ?? '').startsWith('-');
  const set: [string, boolean][] = [];
  let i = 1;
  for (; i < argv.length; i++) {
    const word = argv[i] ?? '';
    if (word === '--') {
      i++;
      break;
    }
    if (word === '--help') {
      sys.write(1, new TextEncoder().encode(HELP));
      return 0;
    }
    if (word === '--version') {
      sys.write(1, new TextEncoder().encode('GNU bash language, version 5.2.37(1)-cxlab (x86_64-pc-linux-gnu)\n'));
      return 0;
    }
    if (word === '--norc' || word === '--noprofile' || word === '--posix') norc ||= word === '--norc';
    else if (word === '--login') login = true;
    else if (word.startsWith('--')) {
      await complain(sys, `${name}: ${word}: invalid option`);
      return 2;
    } else if (/^[-+]./.test(word)) {
      for (const letter of word.slice(1)) {
        if (letter === 'c') command = true;
        else if (letter === 'i') forced = true;
        else if (letter === 'l') login = true;
        else if (letter === 's') stdin = true;
        else if (letter === 'o' || letter === 'O') set.push([argv[++i] ?? '', word.startsWith('-')]);
        else {
          const option = SET_OPTIONS.find(([, l]) => l === letter)?.[0];
          if (!option) {
            await complain(sys, `${name}: -${letter}: invalid option`);
            return 2;
          }
          set.push([option, word.startsWith('-')]);
        }
      }
    } else break;
  }
  const rest = argv.slice(i);
  const script = !command && !stdin ? rest[0] : undefined;
  const interactive = forced || (!command && script === undefined && (await isatty(sys, 0)) && (await isatty(sys, 2)));
  const sh = new Shell(
    sys,
    argv[0]?.startsWith('-') ? name : (argv[0] ?? name),
    interactive ? 'interactive' : script === undefined && !command ? 'script' : command ? 'command' : 'script',
    BUILTINS,
  );
  if (sh.name.includes('/')) sh.name = interactive ? name : sh.name;
  for (const [key, value] of Object.entries(env)) {
    if (!/^[A-Za-z_]\w*$/.test(key)) continue;
    sh.vars.set(key, value);
    sh.vars.ensure(key).exported = true;
  }
  initialize(sh);
  for (const [option, on] of set) setOption(sh, option, on);
  if (login) await sourceIfThere(sh, '/etc/profile');
  if (command) {
    const text = rest[0];
    if (text === undefined) {
      await complain(sys, `${name}: -c: option requires an argument`);
      return 2;
    }
    if (rest[1] !== undefined) sh.name = rest[1];
    sh.positional = rest.slice(2);
    return runToEnd(sh, () => sh.runSource(new Source(text, 'environment')));
  }
  if (script !== undefined) {
    const text = await readFileText(sys, script);
    if (typeof text === 'number') {
      await complain(sys, `${name}: ${script}: ${strerror(text)}`);
      return 127;
    }
    sh.name = script;
    sh.scriptFile = script;
    sh.positional = rest.slice(1);
    return runToEnd(sh, () => sh.runSource(new Source(text, script), true));
  }
  sh.positional = [...rest];
  if (interactive) {
    sh.interactive = true;
    for (const option of ['monitor', 'history', 'histexpand', 'emacs']) sh.options.add(option);
    sh.shopts.add('expand_aliases');
    sys.onSignal(SIGINT, () => sh.pendingSignals.push(SIGINT));
    for (const signal of [3, 15, 20, 21, 22]) sys.onSignal(signal, 'ignore');
    if (!norc) await sourceIfThere(sh, `${sh.vars.get('HOME') ?? '/root'}/.bashrc`);
    return runToEnd(sh, () => interact(sh));
  }
  const data = await readAll(sys, 0);
  return typeof data === 'number' ? 1 : runToEnd(sh, () => sh.runSource(new Source(decode(data), name), true));
};

async function sourceIfThere(sh: Shell, path: string): Promise<void> {
  const text = await readFileText(sh.sys, path);
  if (typeof text === 'string') await sh.runSource(new Source(text, path));
}

function initialize(sh: Shell): void {
  const fallback = (key: string, value: string): void => {
    if (sh.vars.get(key) === undefined) sh.vars.set(key, value);
  };
  fallback('PATH', '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin');
  fallback('HOME', '/root');
  fallback('IFS', ' \t\n');
  sh.vars.set('IFS', ' \t\n');
  fallback('PS4', '+ ');
  fallback('OPTIND', '1');
  sh.vars.set('PWD', sh.sys.getcwd());
  sh.vars.ensure('PWD').exported = true;
  const level = Number(sh.vars.get('SHLVL') ?? '0') + 1;
  sh.vars.set('SHLVL', String(level || 1));
  sh.vars.ensure('SHLVL').exported = true;
}
