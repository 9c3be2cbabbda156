/** cd and the directory stack. */
import { strerror } from '../../../base/errno.ts';
import { normalize } from '../../misc/io.ts';
import type { Builtin, Shell } from '../shell.ts';
import { options } from './options.ts';
import { logicalPwd } from './print.ts';

async function changeDir(sh: Shell, who: string, target: string, physical: boolean): Promise<number> {
  const logical = logicalPwd(sh);
  const wanted = physical ? target : normalize(logical, target);
  let r = sh.sys.chdir(wanted);
  if (r < 0 && !physical) r = sh.sys.chdir(target);
  if (r < 0) {
    await sh.error(`${who}: ${target}: ${strerror(r)}`);
    return 1;
  }
  sh.vars.set('OLDPWD', logical);
  sh.vars.set('PWD', physical ? sh.sys.getcwd() : wanted);
  return 0;
}

const cd: Builtin = async (sh, args) => {
  const o = await options(sh, 'cd', args[0] === '-' ? ['--', ...args] : args, 'LPe@', 'cd [-L|[-P [-e]] [-@]] [dir]');
  if (!o) return 2;
  if (o.rest.length > 1) {
    await sh.error('cd: too many arguments');
    return 1;
  }
  let target = o.rest[0];
  let print = false;
  if (target === undefined) {
    target = sh.vars.get('HOME');
    if (target === undefined) {
      await sh.error('cd: HOME not set');
      return 1;
    }
  } else if (target === '-') {
    target = sh.vars.get('OLDPWD');
    print = true;
    if (target === undefined) {
      await sh.error('cd: OLDPWD not set');
      return 1;
    }
  } else if (target === '') return 0;
  const cdpath = sh.vars.get('CDPATH');
  if (cdpath && !/^\.{0,2}\//.test(target))
    for (const dir of cdpath.split(':')) {
      const stat = sh.sys.stat(`${dir || '.'}/${target}`);
      if (typeof stat !== 'number' && (stat.mode & 0o170000) === 0o040000) {
        target = `${dir || '.'}/${target}`;
        print = dir !== '';
        break;
      }
    }
  const status = await changeDir(sh, 'cd', target, o.has('P') || sh.options.has('physical'));
  return status === 0 && print ? sh.out('cd', `${logicalPwd(sh)}\n`) : status;
};

const short = (sh: Shell, dir: string): string => {
  const home = sh.vars.get('HOME') ?? '';
  return home && (dir === home || dir.startsWith(`${home}/`)) ? `~${dir.slice(home.length)}` : dir;
};
const dirs: Builtin = async (sh, args) => {
  if (args.includes('-c')) {
    sh.dirs = [];
    return 0;
  }
  const all = [logicalPwd(sh), ...sh.dirs].map((d) => (args.includes('-l') ? d : short(sh, d)));
  if (args.includes('-v')) return sh.out('dirs', all.map((d, i) => `${String(i).padStart(2)}  ${d}\n`).join(''));
  return sh.out('dirs', `${all.join(args.includes('-p') ? '\n' : ' ')}\n`);
};
const pushd: Builtin = async (sh, args) => {
  const here = logicalPwd(sh);
  const target = args[0] ?? sh.dirs[0];
  if (target === undefined) {
    await sh.error('pushd: no other directory');
    return 1;
  }
  const status = await changeDir(sh, 'pushd', target, false);
  if (status) return status;
  if (args[0] === undefined) sh.dirs.shift();
  sh.dirs.unshift(here);
  return dirs(sh, []);
};
const popd: Builtin = async (sh) => {
  const target = sh.dirs[0];
  if (target === undefined) {
    await sh.error('popd: directory stack empty');
    return 1;
  }
  const status = await changeDir(sh, 'popd', target, false);
  if (status) return status;
  sh.dirs.shift();
  return dirs(sh, []);
};

export const DIRECTORY_BUILTINS: Record<string, Builtin> = { cd, dirs, pushd, popd };
