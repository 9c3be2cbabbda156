/** Answers to -version, -help and the `help` arguments. Texts in the project's words; layouts as QEMU's. */

import { buildWords, type QemuBuild } from '../qdev/build.ts';
import { deviceType, deviceTypes } from '../qdev/device-type.ts';
import { CPU_MODELS } from './cpu-options.ts';
import { error_setg } from './error.ts';
import { MACHINES } from './machine-options.ts';
import { type HelpRequest, optionNames } from './options.ts';
import { QEMU_VERSION } from './vm.ts';

const KIND: Readonly<Record<string, string>> = {
  devfn: 'str',
  link: 'link',
  string: 'str',
  enum: 'enum',
  'host-address': 'str',
};

export function helpText(request: HelpRequest, build: QemuBuild): string {
  switch (request.topic) {
    case 'version':
      return `QEMU emulator version ${QEMU_VERSION} (${build.id === undefined ? 'cxlab model' : `cxlab model, build ${build.id}: ${buildWords(build)}`})\n`;
    case 'help':
      return `QEMU emulator version ${QEMU_VERSION} (cxlab model)\nusage: qemu-system-x86_64 [options]\n\nOptions this model knows (others say so):\n${optionNames()
        .map((name) => `-${name}\n`)
        .join('')}`;
    case 'device':
      return deviceList(build);
    case 'device-type':
      return deviceHelp(request.argument, build);
    case 'machine':
      if (request.argument !== '')
        return 'q35 options: cxl, cxl-fmw.N.targets.M, cxl-fmw.N.size, cxl-fmw.N.interleave-granularity, hpet, acpi, accel, memory-backend\n';
      return `Supported machines are:\n${[...MACHINES].map(([name, text]) => `${name.padEnd(20)} ${text}\n`).join('')}`;
    case 'cpu':
      return `Available CPUs:\n${[...CPU_MODELS].map(([name, text]) => `  ${name.padEnd(25)}${text === null ? 'the CPU of this machine' : text}`.trimEnd()).join('\n')}\n`;
    case 'object':
      return 'List of user creatable objects:\n  memory-backend-file\n  memory-backend-memfd\n  memory-backend-ram\n';
    case 'accel':
      return 'Accelerators supported in QEMU binary:\ntcg\nkvm\n';
  }
}

function deviceList(build: QemuBuild): string {
  const shown = deviceTypes().filter((type) => type.userCreatable && type.available?.(build) !== false);
  const categories = [...new Set(shown.map((type) => type.category))].sort();
  return `${categories
    .map(
      (category) =>
        `${category} devices:\n${shown
          .filter((type) => type.category === category)
          .map(
            (type) =>
              `name "${type.name}"${type.bus === 'none' ? '' : `, bus ${type.bus}`}${type.description ? `, desc "${type.description}"` : ''}\n`,
          )
          .join('')}`,
    )
    .join('\n')}`;
}

function deviceHelp(name: string, build: QemuBuild): string {
  const type = deviceType(name);
  if (!type || type.available?.(build) === false) return error_setg(`'${name}' is not a valid device model name`);
  const lines = [...type.properties]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((spec) => {
      const kind = spec.kind === 'link' ? `link<${spec.linkType ?? 'object'}>` : (KIND[spec.kind] ?? spec.kind);
      const head = `  ${spec.name}=<${kind}>`;
      const text = [
        spec.description,
        spec.value === null || spec.kind === 'devfn' ? '' : `(default: ${String(spec.value)})`,
      ]
        .filter(Boolean)
        .join(' ');
      return text === '' ? `${head}\n` : `${head.padEnd(24)} - ${text}\n`;
    });
  return `${name} options:\n${lines.join('')}`;
}
