import { concat } from '../../base/bytes.ts';
import {
  type Aml,
  and,
  arg,
  buffer,
  device,
  dwordField,
  dwordMemory,
  eisaid,
  equal,
  iff,
  int,
  io,
  irqNoFlags,
  local,
  lor,
  method,
  name,
  nameDecl,
  not,
  or,
  otherwise,
  pack,
  qwordMemory,
  resourceTemplate,
  ret,
  scope,
  store,
  string,
  uuid,
  wordBusNumber,
  wordIo,
} from './aml.ts';
import type { AcpiDescription, RootResources } from './description.ts';
import { table } from './tables.ts';

const PCI_OSC = '33db4d5b-1ff7-401c-9657-7441c03dd766';
const CXL_OSC = '68f2d50b-c469-4d8a-bd3d-941a103fd3fc';
const CXL_DSM = 'f365f9a6-a7de-4071-a66a-b40c0b4f8e52';

/**
 * DSDT of a q35 machine with CXL (QEMU hw/i386/acpi-build.c, hw/acpi/cxl.c). Left out: interrupt links and _PRT, hot-plug
 * methods, CPU and memory devices, the debug port.
 */
export function dsdt(description: AcpiDescription): Uint8Array {
  const { pci0, cxlRoots, cedt } = description;
  const parts: Aml[] = [
    scope('_SB', [
      device('PCI0', [
        nameDecl('_HID', eisaid('PNP0A08')),
        nameDecl('_CID', eisaid('PNP0A03')),
        nameDecl('_UID', int(0)),
        pciOsc(),
      ]),
    ]),
    ...cxlRoots.map((root) =>
      scope('\\_SB', [
        device(`CL${root.uid.toString(16).toUpperCase().padStart(2, '0')}`, [
          nameDecl('_UID', int(root.uid)),
          nameDecl('_BBN', int(root.firstBus)),
          nameDecl('_HID', string('ACPI0016')),
          nameDecl('_CID', pack([eisaid('PNP0A08'), eisaid('PNP0A03')])),
          cxlOsc(),
          nameDecl('_CRS', cxlCrs(root)),
        ]),
      ]),
    ),
  ];
  if (cedt) parts.push(scope('_SB', [cxlm()]));
  parts.push(
    scope('\\_SB.PCI0', [nameDecl('_CRS', pci0Crs(pci0)), gpe0()]),
    scope('\\', [nameDecl('_S5', pack([int(0), int(0), int(0), int(0)]))]),
    scope('\\_SB.PCI0', [fwcf()]),
    scope('\\_SB', [scope('PCI0', slots(description))]),
  );
  return table('DSDT', 1, concat(parts));
}

/** build_q35_osc_method() with native hot-plug left to ACPI: mask 0x1e. */
function pciOsc(): Aml {
  return method('_OSC', 4, [
    dwordField(arg(3), int(0), 'CDW1'),
    iff(equal(arg(0), uuid(PCI_OSC)), [
      dwordField(arg(3), int(4), 'CDW2'),
      dwordField(arg(3), int(8), 'CDW3'),
      store(name('CDW3'), local(0)),
      and(local(0), int(0x1e), local(0)),
      iff(not(equal(arg(1), int(1))), [or(name('CDW1'), int(8), name('CDW1'))]),
      iff(not(equal(name('CDW3'), local(0))), [or(name('CDW1'), int(0x10), name('CDW1'))]),
      store(local(0), name('CDW3')),
    ]),
    otherwise([or(name('CDW1'), int(4), name('CDW1'))]),
    ret(arg(3)),
  ]);
}

/** build_cxl_osc_method(): keeps support and control words, grants 0x1f and memory error reporting. */
export function cxlOsc(): Aml {
  return concat([
    ...['SUPP', 'CTRL', 'SUPC', 'CTRC'].map((word) => nameDecl(word, int(0))),
    method('_OSC', 4, [
      dwordField(arg(3), int(0), 'CDW1'),
      iff(lor(equal(arg(0), uuid(PCI_OSC)), equal(arg(0), uuid(CXL_OSC))), [
        dwordField(arg(3), int(4), 'CDW2'),
        dwordField(arg(3), int(8), 'CDW3'),
        store(name('CDW3'), local(0)),
        and(local(0), int(0x1f), local(0)),
        iff(not(equal(arg(1), int(1))), [or(name('CDW1'), int(8), name('CDW1'))]),
        iff(not(equal(name('CDW3'), local(0))), [or(name('CDW1'), int(0x10), name('CDW1'))]),
        store(name('CDW2'), name('SUPP')),
        store(name('CDW3'), name('CTRL')),
        store(local(0), name('CDW3')),
        iff(equal(arg(0), uuid(CXL_OSC)), [
          dwordField(arg(3), int(12), 'CDW4'),
          dwordField(arg(3), int(16), 'CDW5'),
          store(name('CDW4'), name('SUPC')),
          store(name('CDW5'), name('CTRC')),
          or(name('CDW5'), int(1), name('CDW5')),
        ]),
        ret(arg(3)),
      ]),
      otherwise([or(name('CDW1'), int(4), name('CDW1')), ret(arg(3))]),
    ]),
  ]);
}

/** \_SB.CXLM: the CXL root object with its QoS _DSM. */
export function cxlm(): Aml {
  return device('CXLM', [
    nameDecl('_HID', string('ACPI0017')),
    method('_STA', 0, [ret(int(0x0b))]),
    method(
      '_DSM',
      4,
      [
        iff(equal(arg(0), uuid(CXL_DSM)), [
          iff(equal(arg(2), int(0)), [ret(buffer(Uint8Array.of(1)))]),
          iff(equal(arg(2), int(1)), [ret(pack([int(1), pack([int(0), int(1)])]))]),
        ]),
      ],
      true,
    ),
  ]);
}

/** _CRS of an expander: build_crs() order: I/O, memory, 64-bit memory, buses. */
export function cxlCrs(root: RootResources): Aml {
  return resourceTemplate([
    ...root.io.map((r) => wordIo(r.start, r.end)),
    ...root.memory.map((r) => dwordMemory(r.start, r.end, false)),
    ...root.memory64.map((r) => qwordMemory(r.start, r.end, false)),
    wordBusNumber(root.firstBus, root.lastBus),
  ]);
}

function pci0Crs(root: RootResources): Aml {
  return resourceTemplate([
    wordBusNumber(root.firstBus, root.lastBus),
    io(0xcf8, 1, 8),
    ...root.io.map((r) => wordIo(r.start, r.end)),
    dwordMemory(0xa0000, 0xbffff, true),
    ...root.memory.map((r) => dwordMemory(r.start, r.end, false)),
    ...root.memory64.map((r) => qwordMemory(r.start, r.end, true)),
  ]);
}

function gpe0(): Aml {
  return device('GPE0', [
    nameDecl('_HID', string('PNP0A06')),
    nameDecl('_UID', string('GPE0 resources')),
    nameDecl('_STA', int(0x0b)),
    nameDecl('_CRS', resourceTemplate([io(0x620, 1, 0x10)])),
  ]);
}

function fwcf(): Aml {
  return device('FWCF', [
    nameDecl('_HID', string('QEMU0002')),
    nameDecl('_STA', int(0x0b)),
    nameDecl('_CRS', resourceTemplate([io(0x510, 1, 0x0c)])),
  ]);
}

const COM_PORTS = [
  [0x3f8, 4],
  [0x2f8, 3],
  [0x3e8, 4],
  [0x2e8, 3],
] as const;

/** Device nodes of bus 0; the LPC bridge holds the ISA devices. */
function slots(description: AcpiDescription): Aml[] {
  const others = (description.slots ?? []).filter((devfn) => devfn !== 0 && devfn !== 0xf8).sort((a, b) => a - b);
  const slot = (devfn: number, body: readonly Aml[] = []) =>
    device(`S${devfn.toString(16).toUpperCase().padStart(2, '0')}`, [
      nameDecl('_ADR', int((devfn >> 3) * 0x10000 + (devfn & 7))),
      ...body,
    ]);
  const isa: Aml[] = [];
  for (const n of description.serialPorts) {
    const port = COM_PORTS[n - 1];
    if (!port) continue;
    isa.push(
      device(`COM${n}`, [
        nameDecl('_HID', eisaid('PNP0501')),
        nameDecl('_UID', int(n)),
        nameDecl('_STA', int(0x0f)),
        nameDecl('_CRS', resourceTemplate([io(port[0], 0, 8), irqNoFlags(port[1])])),
      ]),
    );
  }
  isa.push(
    device('RTC', [
      nameDecl('_HID', eisaid('PNP0B00')),
      nameDecl('_CRS', resourceTemplate([io(0x70, 1, 8), irqNoFlags(8)])),
    ]),
  );
  return [
    slot(0),
    ...others.filter((d) => d < 0xf8).map((d) => slot(d)),
    slot(0xf8, isa),
    ...others.filter((d) => d > 0xf8).map((d) => slot(d)),
  ];
}
