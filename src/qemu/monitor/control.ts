/** Commands that act on the machine, and the short `info` ones (monitor/hmp-cmds.c, hw/core/machine-hmp-cmds.c). */

import { device_del } from '../hw/pci/pcie.ts';
import type { RunningMachine } from '../system/running-machine.ts';
import { registerCommand, registerInfo, TRY_HELP } from './hmp.ts';

registerCommand({
  names: ['quit', 'q'],
  parameters: '',
  help: 'end the emulator',
  run: (vm) => {
    vm.quit();
    return '';
  },
});
registerCommand({
  names: ['stop', 's'],
  parameters: '',
  help: 'stop the CPUs',
  run: (vm) => {
    vm.vm_stop();
    return '';
  },
});
registerCommand({
  names: ['cont', 'c'],
  parameters: '',
  help: 'let the CPUs run again',
  run: (vm) => {
    vm.vm_start();
    return '';
  },
});
registerCommand({
  names: ['system_reset'],
  parameters: '',
  help: 'reset the machine',
  run: (vm) => {
    vm.qemu_system_reset_request();
    return '';
  },
});
registerCommand({
  names: ['system_powerdown'],
  parameters: '',
  help: 'press the power button',
  run: (vm) => {
    vm.qemu_system_powerdown_request();
    return '';
  },
});
const ids = (vm: RunningMachine) => vm.devices.map((dev) => dev.id).filter((id) => id !== '');
registerCommand({
  names: ['device_del'],
  parameters: 'device',
  help: 'unplug a device',
  complete: ids,
  run: (vm, args) => {
    if (args[0] === undefined) return `device_del: string expected\n${TRY_HELP('device_del')}`;
    const dev = vm.findDevice(args[0]);
    if (!dev) return `Error: Device '${args[0]}' not found\n`;
    device_del(dev);
    return '';
  },
});
registerCommand({
  names: ['device_add'],
  parameters: 'driver[,prop=value][,...]',
  help: 'plug a device (not modelled)',
  run: () => 'Error: hot-plug is not modelled in this lab\n',
});

registerInfo({
  names: ['status'],
  parameters: '',
  help: 'is the machine running?',
  run: (vm) => {
    if (vm.state === 'running') return 'VM status: running\n';
    return `VM status: paused${vm.state === 'paused' ? '' : ` (${vm.state})`}\n`;
  },
});
registerInfo({ names: ['version'], parameters: '', help: 'version of QEMU', run: (vm) => `${vm.version}cxlab\n` });
registerInfo({
  names: ['name'],
  parameters: '',
  help: 'name of the machine',
  run: (vm) => (vm.name === null ? '' : `${vm.name}\n`),
});
registerInfo({
  names: ['kvm'],
  parameters: '',
  help: 'is KVM in use?',
  run: () => 'kvm support: enabled\n',
});
registerInfo({
  names: ['cpus'],
  parameters: '',
  help: 'virtual CPUs and their threads',
  run: (vm) => {
    let out = '';
    for (let n = 0; n < vm.cpus; n++) out += `${n === 0 ? '*' : ' '} CPU #${n}: thread_id=${vm.sys.pid + 1 + n}\n`;
    return out;
  },
});
registerInfo({
  names: ['block'],
  parameters: '[-n] [-v] [device]',
  help: 'block devices (none are modelled)',
  run: () => '',
});
registerInfo({
  names: ['memdev'],
  parameters: '',
  help: 'memory backends',
  run: (vm) =>
    `${vm.backends
      .map(
        (backend) =>
          `memory backend: ${backend.id}\n  size:  ${backend.size}\n  merge: true\n  dump: true\n  prealloc: false\n  share: ${backend.share}\n  reserve: true\n  policy: default\n  host nodes: \n`,
      )
      .join('')}\n`,
});
registerInfo({
  names: ['memory-devices'],
  parameters: '',
  help: 'plugged memory devices (DIMMs are not modelled; CXL memory is none)',
  run: () => '',
});
registerInfo({
  names: ['memory_size_summary'],
  parameters: '',
  help: 'sizes of base and pluggable memory',
  run: (vm) => `base memory: ${vm.ramSize}\nplugged memory: 0\n`,
});
