/** Program text of everything in `userland/`, by the name an executable file carries. */
import type { Program } from '../linux/uapi/sys.ts';
import { BOX_COMMANDS, boxTool } from './box/box.ts';
import { dd, hexdump, od, strings, xxd } from './coreutils/binary.ts';
import { cut } from './coreutils/cut.ts';
import { busybox, devmem } from './coreutils/devmem.ts';
import { diff } from './coreutils/diff.ts';
import * as files from './coreutils/fileops.ts';
import { find } from './coreutils/find.ts';
import { egrep, fgrep, grep } from './coreutils/grep.ts';
import { uniq, xargs } from './coreutils/lines.ts';
import { ls } from './coreutils/ls.ts';
import { driverctl, less, watch } from './coreutils/pager.ts';
import { sort } from './coreutils/sort.ts';
import * as system from './coreutils/system.ts';
import * as text from './coreutils/text.ts';
import { dmesg, journalctl, logger } from './kmod/dmesg.ts';
import { modinfo } from './kmod/modinfo.ts';
import { depmod, insmod, lsmod, modprobe, rmmod } from './kmod/modules.ts';
import { bash } from './shell/bash.ts';
import { strace } from './strace/strace.ts';

const TABLE = new Map<string, Program>(
  Object.entries({
    bash,
    sh: bash,
    ls,
    cat: text.cat,
    head: text.head,
    tail: text.tail,
    wc: text.wc,
    tee: text.tee,
    seq: text.seq,
    yes: text.yes,
    echo: text.echo,
    printf: text.printf,
    test: text.test,
    '[': text.test,
    true: async () => 0,
    false: async () => 1,
    mkdir: files.mkdir,
    rmdir: files.rmdir,
    rm: files.rm,
    cp: files.cp,
    mv: files.mv,
    ln: files.ln,
    touch: files.touch,
    chmod: files.chmod,
    readlink: files.readlink,
    realpath: files.realpath,
    basename: files.basename,
    dirname: files.dirname,
    stat: files.stat,
    tree: files.tree,
    grep,
    egrep,
    fgrep,
    find,
    xxd,
    hexdump,
    hd: (sys, argv, env) => hexdump(sys, ['hexdump', '-C', ...argv.slice(1)], env),
    od,
    strings,
    dd,
    devmem,
    less,
    more: less,
    watch,
    driverctl,
    diff,
    cut,
    uniq,
    sort,
    xargs,
    date: system.date,
    uname: system.uname,
    hostname: system.hostname,
    whoami: system.whoami,
    id: system.id,
    nproc: system.nproc,
    ps: system.ps,
    pgrep: system.pgrep,
    pkill: system.pkill,
    kill: system.kill,
    uptime: system.uptime,
    free: system.free,
    sleep: system.sleep,
    env: system.env,
    printenv: system.printenv,
    which: system.whichTool,
    timeout: system.timeout,
    mount: system.mount,
    umount: system.umount,
    reboot: system.reboot,
    poweroff: system.poweroff,
    halt: system.halt,
    shutdown: system.shutdown,
    clear: system.clear,
    reset: system.reset,
    sync: system.sync,
    tty: system.tty,
    man: system.man,
    pwd: system.pwd,
    uuidgen: system.uuidgen,
    udevadm: system.udevadm,
    dmesg,
    journalctl,
    logger,
    lsmod,
    insmod,
    rmmod,
    modprobe,
    modinfo,
    depmod,
    strace,
  } satisfies Record<string, Program>),
);
for (const name of BOX_COMMANDS)
  TABLE.set(
    name,
    boxTool(name, () => TABLE),
  );
TABLE.set(
  'busybox',
  busybox(() => TABLE),
);

export const PROGRAMS: ReadonlyMap<string, Program> = TABLE;
