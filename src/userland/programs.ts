/** Program text of everything in `userland/`, by the name an executable file carries. */
import type { Program } from '../linux/uapi/sys.ts';
import { acpidump } from './acpica/acpidump.ts';
import { acpixtract } from './acpica/acpixtract.ts';
import { BOX_COMMANDS, boxTool } from './box/box.ts';
import * as attributes from './coreutils/attributes.ts';
import * as clock from './coreutils/clock.ts';
import { cmp } from './coreutils/cmp.ts';
import * as copy from './coreutils/copy.ts';
import { cut } from './coreutils/cut.ts';
import { dd } from './coreutils/dd.ts';
import { busybox, devmem } from './coreutils/devmem.ts';
import { df } from './coreutils/df.ts';
import { diff } from './coreutils/diff.ts';
import { find } from './coreutils/find.ts';
import { getconf } from './coreutils/getconf.ts';
import { egrep, fgrep, grep } from './coreutils/grep.ts';
import * as headTail from './coreutils/head-tail.ts';
import { hexdump } from './coreutils/hexdump.ts';
import * as identity from './coreutils/identity.ts';
import { uniq, xargs } from './coreutils/lines.ts';
import { ls } from './coreutils/ls.ts';
import * as names from './coreutils/names.ts';
import { od } from './coreutils/od.ts';
import { driverctl, less, watch } from './coreutils/pager.ts';
import * as printing from './coreutils/printing.ts';
import * as remove from './coreutils/remove.ts';
import * as run from './coreutils/run.ts';
import { mktemp, truncate } from './coreutils/scratch.ts';
import { shuf } from './coreutils/shuf.ts';
import { sort } from './coreutils/sort.ts';
import { strings } from './coreutils/strings.ts';
import * as system from './coreutils/system.ts';
import * as text from './coreutils/text.ts';
import { xxd } from './coreutils/xxd.ts';
import { gunzip_tool, gzip, zcat, zgrep } from './coreutils/zcat.ts';
import { dmesg } from './kmod/dmesg.ts';
import { journalctl } from './kmod/journalctl.ts';
import { logger } from './kmod/logger.ts';
import { modinfo } from './kmod/modinfo.ts';
import { depmod, insmod, lsmod, modprobe, rmmod } from './kmod/modules.ts';
import { udevadm } from './kmod/udevadm.ts';
import { kvm_stat } from './kvm/kvm_stat.ts';
import { bc } from './misc/bc.ts';
import { dmidecode } from './misc/dmidecode.ts';
import { vfioPoke } from './misc/vfio-poke.ts';
import { free } from './procps/free.ts';
import * as pgrep from './procps/pgrep.ts';
import { pidof } from './procps/pidof.ts';
import { pmap, pwdx } from './procps/pmap.ts';
import { ps } from './procps/ps.ts';
import { sysctl } from './procps/sysctl.ts';
import { top } from './procps/top.ts';
import { uptime, w, who } from './procps/uptime.ts';
import { vmstat } from './procps/vmstat.ts';
import { fuser } from './psmisc/fuser.ts';
import { lsof } from './psmisc/lsof.ts';
import { pstree } from './psmisc/pstree.ts';
import { bash } from './shell/bash.ts';
import { strace } from './strace/strace.ts';
import { trace_cmd } from './trace-cmd/trace-cmd.ts';

import { lscpu } from './util-linux/lscpu.ts';
import { lsmem } from './util-linux/lsmem.ts';
import { findmnt, lsblk, mountpoint } from './util-linux/mounts.ts';
import { numactl } from './util-linux/numactl.ts';

const TABLE = new Map<string, Program>(
  Object.entries({
    bash,
    sh: bash,
    ls,
    cat: text.cat,
    head: headTail.head,
    tail: headTail.tail,
    wc: text.wc,
    tee: text.tee,
    seq: printing.seq,
    yes: text.yes,
    echo: printing.echo,
    printf: printing.printf,
    test: printing.test,
    '[': printing.test,
    true: async () => 0,
    false: async () => 1,
    mkdir: remove.mkdir,
    rmdir: remove.rmdir,
    rm: remove.rm,
    cp: copy.cp,
    mv: copy.mv,
    ln: copy.ln,
    touch: attributes.touch,
    chmod: attributes.chmod,
    readlink: names.readlink,
    realpath: names.realpath,
    basename: names.basename,
    dirname: names.dirname,
    stat: attributes.stat,
    tree: names.tree,
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
    mktemp,
    truncate,
    shuf,
    cmp,
    bc,
    getconf,
    date: clock.date,
    uname: identity.uname,
    hostname: identity.hostname,
    whoami: identity.whoami,
    id: identity.id,
    nproc: identity.nproc,
    ps,
    pgrep: pgrep.pgrep,
    pkill: pgrep.pkill,
    kill: pgrep.kill,
    top,
    uptime,
    w,
    who,
    vmstat,
    free,
    df,
    lsblk,
    findmnt,
    mountpoint,
    sleep: clock.sleep,
    env: run.env,
    printenv: run.printenv,
    which: run.whichTool,
    timeout: run.timeout,
    mount: system.mount,
    umount: system.umount,
    reboot: system.reboot,
    poweroff: system.poweroff,
    halt: system.halt,
    shutdown: system.shutdown,
    clear: system.clear,
    reset: system.reset,
    sync: system.sync,
    tty: identity.tty,
    man: identity.man,
    pwd: system.pwd,
    uuidgen: system.uuidgen,
    udevadm,
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
    'vfio-poke': vfioPoke,
    lscpu,
    lsmem,
    numactl,
    acpidump,
    acpixtract,
    dmidecode,
    pidof,
    fuser,
    lsof,
    pstree,
    pmap,
    pwdx,
    sysctl,
    kvm_stat,
    'trace-cmd': trace_cmd,
    zcat,
    gzip,
    gunzip: gunzip_tool,
    zgrep,
  } satisfies Record<string, Program>),
);
for (const name of BOX_COMMANDS) TABLE.set(name, boxTool(name));
TABLE.set(
  'busybox',
  busybox(() => TABLE),
);

export const PROGRAMS: ReadonlyMap<string, Program> = TABLE;
