/** Text files of the machines' root file systems. Each prompt names its layer. */
export interface TextFile {
  readonly path: string;
  readonly content: string;
  readonly mode?: number;
}

function common(hostname: string, levelColour: string): readonly TextFile[] {
  return [
    { path: '/etc/hostname', content: `${hostname}\n` },
    { path: '/etc/hosts', content: `127.0.0.1\tlocalhost\n127.0.1.1\t${hostname}\n` },
    {
      path: '/etc/passwd',
      content: 'root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n',
    },
    { path: '/etc/group', content: 'root:x:0:\ntty:x:5:\nkvm:x:110:\n' },
    { path: '/etc/os-release', content: 'NAME="cxlab"\nID=cxlab\nPRETTY_NAME="cxlab guest userland"\n' },
    {
      path: '/etc/profile',
      content: `PS1='\\[\\e[${levelColour}m\\]\\h\\[\\e[0m\\]:\\w# '\nexport PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n`,
    },
    { path: '/root/.bashrc', content: '. /etc/profile\n' },
  ];
}

export const HOST_FILES: readonly TextFile[] = [
  ...common('host', '1;32'),
  {
    path: '/etc/motd',
    content: 'cxlab host (L0). qemu-system-x86_64 boots the L1 guest; kernels are in /boot.\n',
  },
];
export const L1_FILES: readonly TextFile[] = common('l1', '1;36');
/** A guest with memory expanders, as a distribution's udev and modules-load would leave it. */
export const TYPE3_FILES: readonly TextFile[] = [
  ...common('l1', '1;36'),
  {
    path: '/etc/modules-load.d/cxl.conf',
    content: ['cxl_acpi', 'cxl_pci', 'cxl_mem', 'cxl_pmem', 'nd_pmem', 'dax_pmem', 'device_dax', 'dax_cxl']
      .map((name) => `${name}\n`)
      .join(''),
  },
];
export const L2_FILES: readonly TextFile[] = common('l2', '1;35');
