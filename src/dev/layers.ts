/**
 * Who may import whom (src/README.md, "The rooms"). A room may always import itself. `linux/uapi` and `linux/include`
 * are narrower doors than `linux`; `hw/bus` is the bus interface; `qemu/lint` judges command lines as text.
 */
export const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  base: [],
  spec: ['base'],
  log: ['base'],
  state: ['base', 'spec', 'log'],
  hw: ['base', 'spec', 'log', 'state'],
  qemu: ['base', 'spec', 'log', 'state', 'hw', 'linux/uapi'],
  linux: ['base', 'spec', 'log', 'state', 'hw/bus'],
  userland: ['base', 'spec', 'linux/uapi'],
  content: [],
  lab: ['base', 'spec', 'log', 'state', 'hw', 'qemu', 'linux', 'userland', 'content', 'protocol'],
  // What can be chosen for a build is data: patches and options in content, defects in spec.
  protocol: ['log', 'state', 'spec', 'content'],
  worker: ['lab', 'protocol', 'log', 'base', 'content'],
  cli: [
    'lab',
    'protocol',
    'log',
    'base',
    'state',
    'content',
    'qemu/lint',
    'views/stage.view.ts',
    'ui/stage/stage-layout.ts',
    'linux/uapi',
  ],
  mirror: ['base', 'worker', 'protocol', 'spec', 'log', 'state'],
  views: ['base', 'mirror', 'protocol', 'spec', 'log', 'state', 'qemu/lint'],
  ui: ['base', 'views', 'mirror', 'protocol', 'spec', 'log', 'state', 'content', 'worker', 'qemu/lint'],
  'main.tsx': ['ui', 'mirror', 'worker', 'protocol', 'spec'],
  dev: [],
};
