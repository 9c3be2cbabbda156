/** trap: what to do on signals, at the end, after failures, before commands. */
import { SIGNALS, signalName, signalNumber } from '../control.ts';
import type { Builtin } from '../shell.ts';

const PSEUDO = ['DEBUG', 'ERR', 'RETURN'];
/** Order of the listing: EXIT is signal 0, the pseudo signals come after the real ones. */
const rank = (name: string): number =>
  name === 'EXIT' ? 0 : PSEUDO.includes(name) ? 100 + PSEUDO.indexOf(name) : (signalNumber(name) ?? 99);

export const trap: Builtin = async (sh, args) => {
  if (args[0] === '-l')
    return sh.out('trap', `${SIGNALS.map(([n, s]) => `${String(n).padStart(2)}) SIG${s}`).join('\n')}\n`);
  const show = (name: string): string => {
    const text = sh.traps.get(name);
    const full = /EXIT|ERR|DEBUG|RETURN/.test(name) ? name : `SIG${name}`;
    return text === undefined ? '' : `trap -- '${text.replaceAll("'", "'\\''")}' ${full}\n`;
  };
  if (args.length === 0 || (args[0] === '-p' && args.length === 1))
    return sh.out(
      'trap',
      [...sh.traps.keys()]
        .sort((a, b) => rank(a) - rank(b))
        .map(show)
        .join(''),
    );
  if (args[0] === '-p')
    return sh.out(
      'trap',
      args
        .slice(1)
        .map((n) => show(n.replace(/^SIG/, '')))
        .join(''),
    );
  const rest = args[0] === '--' ? args.slice(1) : args;
  const reset = rest[0] === '-' || rest.length === 1;
  const action = reset ? null : (rest[0] ?? '');
  let status = 0;
  for (const word of rest.length === 1 ? rest : rest.slice(1)) {
    const pseudo = /^(EXIT|ERR|DEBUG|RETURN)$/.test(word.toUpperCase())
      ? word.toUpperCase()
      : word === '0'
        ? 'EXIT'
        : null;
    const number = pseudo ? null : signalNumber(word);
    if (!pseudo && number === null) {
      await sh.error(`trap: ${word}: invalid signal specification`);
      status = 1;
      continue;
    }
    const name = pseudo ?? signalName(number ?? 0);
    if (action === null) sh.traps.delete(name);
    else sh.traps.set(name, action);
    if (number === null || number === 9 || number === 19) continue;
    if (action === '') sh.sys.onSignal(number, 'ignore');
    else if (action !== null || (sh.interactive && number === 2))
      sh.sys.onSignal(number, () => sh.pendingSignals.push(number));
    else sh.sys.onSignal(number, null);
  }
  return status;
};
