import type { SeriesPatch } from './rfc-v1.ts';

/**
 * "vfio/pci: Add CXL Type-2 device passthrough support" v3 (Manish Honap, 25 Jun 2026, 20260625165407.1769572-1) and what moved since the
 * RFC. Sources: its cover letter, its documentation patch (vfio-pci-cxl.rst) and code; for the RFC the reference sheet vfio-cxl-rfc.md.
 */
export interface V3Patch extends SeriesPatch {
  /** False: tests and documents, nothing a kernel image has. */
  readonly built?: false;
}

const CXL = 'drivers/cxl/core';
const VFIO = 'drivers/vfio/pci';

export const V3_PATCHES: readonly V3Patch[] = [
  {
    number: 1,
    subject: 'cxl: Add cxl_get_hdm_info() helper for HDM decoder metadata',
    purpose: 'place, size and number of decoders from the map the core has already',
    files: [`${CXL}/pci.c`, `${CXL}/regs.c`, 'include/cxl/cxl.h'],
  },
  {
    number: 2,
    subject: 'cxl: Split cxl_await_range_active() from media-ready wait',
    purpose: 'waiting for the range without asking memory-device registers',
    files: [`${CXL}/pci.c`, 'include/cxl/cxl.h'],
  },
  {
    number: 3,
    subject: 'cxl: Record BIR and BAR offset in cxl_register_map',
    purpose: 'which BAR a register block is in, and where',
    files: [`${CXL}/regs.c`, 'include/cxl/cxl.h'],
  },
  {
    number: 4,
    subject: 'cxl: Move component/HDM register defines to uapi/cxl/cxl_regs.h',
    purpose: 'register names a VMM can use',
    files: ['include/uapi/cxl/cxl_regs.h', 'drivers/cxl/cxl.h'],
  },
  {
    number: 5,
    subject: 'vfio: UAPI for CXL Type-2 device passthrough',
    purpose: 'capability 6 with named fields, the subtype of the component-register region',
    files: ['include/uapi/linux/vfio.h'],
  },
  {
    number: 6,
    subject: 'cxl: Add register-virtualization helpers for vfio Type-2 passthrough',
    purpose: 'the shadows of DVSEC, HDM block and capability array, with a rule for each register, inside the CXL core',
    files: [`${CXL}/passthrough.c`, 'include/cxl/passthrough.h', 'drivers/cxl/Kconfig'],
  },
  {
    number: 7,
    subject: 'vfio/pci: Add CONFIG_VFIO_PCI_CXL with bind-time CXL Type-2 acquisition',
    purpose: 'binding vfio-pci takes the committed region from the CXL core, or fails',
    files: [`${VFIO}/cxl/vfio_cxl_core.c`, `${VFIO}/vfio_pci_core.c`, `${VFIO}/cxl/Kconfig`],
  },
  {
    number: 8,
    subject: 'vfio/pci/cxl: Add HDM + COMP_REGS regions and DVSEC clipping shim',
    purpose: 'two regions, sparse mmap of the component BAR, and DVSEC accesses handed to the CXL core',
    files: [
      `${VFIO}/cxl/vfio_cxl_core.c`,
      `${VFIO}/vfio_pci_config.c`,
      `${VFIO}/vfio_pci_core.c`,
      `${VFIO}/vfio_pci_rdwr.c`,
    ],
  },
  {
    number: 9,
    subject: 'selftests/vfio: Add CXL Type-2 device passthrough smoke test',
    purpose: 'six tests',
    files: ['tools/testing/selftests/vfio/vfio_cxl_type2_test.c'],
    built: false,
  },
  {
    number: 10,
    subject: 'docs: vfio-pci: Document CXL Type-2 device passthrough',
    purpose: 'who owns what, bind sequence, register contracts, limits',
    files: ['Documentation/driver-api/vfio-pci-cxl.rst'],
    built: false,
  },
  {
    number: 11,
    subject: 'vfio/pci: Provide opt-out for CXL Type-2 extensions',
    purpose: 'vfio_pci.disable_cxl=1: every device vfio-pci binds stays a plain PCI device',
    files: [`${VFIO}/cxl/vfio_cxl_core.c`, `${VFIO}/vfio_pci.c`, 'include/linux/vfio_pci_core.h'],
  },
];

/** Layers a concern can sit in, from the silicon up. */
export type Layer =
  | 'device'
  | 'firmware'
  | 'L1 CXL core'
  | 'L1 vfio-cxl-core'
  | 'L1 vfio-pci'
  | 'L1 variant driver'
  | 'L1 QEMU'
  | 'L2 driver'
  | 'L2 CXL core'
  | 'nobody';

export interface Ownership {
  readonly layer: Layer;
  /** One sentence, in our words. */
  readonly how: string;
  readonly cite: string;
}

export interface Moved {
  readonly id: string;
  readonly concern: string;
  readonly rfc: Ownership;
  readonly v3: Ownership;
}

const doc = (section: string) => `v3 10/11, vfio-pci-cxl.rst, ${section}`;

/** Concern by concern. What a page lists as moved follows from the layers (see `movedConcerns`). */
export const V3_MOVED: readonly Moved[] = [
  {
    id: 'driver',
    concern: 'Driver that binds the device',
    rfc: {
      layer: 'L1 variant driver',
      how: 'cxl-accel-vfio-pci, for one device id, with the memory size written into it.',
      cite: 'RFC patch 12',
    },
    v3: { layer: 'L1 vfio-pci', how: 'vfio-pci itself, when it finds CXL.mem on the link.', cite: doc('Driver model') },
  },
  {
    id: 'commit',
    concern: 'Physical HDM decoder: who commits it',
    rfc: {
      layer: 'L1 CXL core',
      how: 'The region vfio-cxl creates at open commits decoder 0 at a place the core finds.',
      cite: 'RFC patch 04',
    },
    v3: {
      layer: 'firmware',
      how: 'Committed before Linux runs and never programmed again; a device without it does not bind.',
      cite: 'v3 0/11, scope',
    },
  },
  {
    id: 'region',
    concern: "L1's CXL region",
    rfc: {
      layer: 'L1 vfio-cxl-core',
      how: 'Created when the device file is opened: HPA and DPA are asked for, then cxl_create_region.',
      cite: 'RFC patch 04',
    },
    v3: {
      layer: 'L1 CXL core',
      how: 'Assembled from the committed decoder inside devm_cxl_probe_mem, at bind.',
      cite: doc('Bind sequence'),
    },
  },
  {
    id: 'hdm-shadow',
    concern: 'HDM registers the guest sees',
    rfc: {
      layer: 'L1 vfio-cxl-core',
      how: 'A copy of the block answers accesses of BAR 0; writes are stored raw, COMMITTED follows COMMIT.',
      cite: 'RFC patch 08',
    },
    v3: {
      layer: 'L1 CXL core',
      how: 'cxl_passthrough_hdm_rw behind the COMP_REGS region; BASE and SIZE are locked once committed or locked.',
      cite: 'v3 6/11',
    },
  },
  {
    id: 'cap-array',
    concern: 'Capability array of the component block',
    rfc: { layer: 'device', how: 'Read from the device at each access.', cite: 'RFC patch 08, outside the HDM block' },
    v3: { layer: 'L1 CXL core', how: 'A read-only snapshot, cxl_passthrough_cm_rw.', cite: doc('CM cap-array') },
  },
  {
    id: 'dvsec',
    concern: 'CXL device DVSEC the guest sees',
    rfc: {
      layer: 'L1 vfio-pci',
      how: 'Every CXL DVSEC is plain memory in vconfig: no masks, no side effects.',
      cite: 'RFC patch 10',
    },
    v3: {
      layer: 'L1 CXL core',
      how: 'One rule per field: lock written once, status cleared by ones, range 1 fixed, range 2 reserved.',
      cite: 'v3 6/11',
    },
  },
  {
    id: 'uapi',
    concern: 'Capability 6 of GET_INFO',
    rfc: {
      layer: 'L1 vfio-cxl-core',
      how: '40 bytes: decoder count, BAR, offset and size of the HDM block, DPA size.',
      cite: 'RFC patch 11',
    },
    v3: {
      layer: 'L1 vfio-pci',
      how: '48 bytes with names: both region indices, place of the component block; the VMM finds the HDM block itself.',
      cite: 'v3 5/11',
    },
  },
  {
    id: 'hdm-place',
    concern: 'Where the HDM block is: who works it out for the VMM',
    rfc: { layer: 'L1 vfio-cxl-core', how: 'Told in capability 6.', cite: 'RFC patch 11' },
    v3: { layer: 'L1 QEMU', how: 'The VMM walks the capability array in COMP_REGS.', cite: 'v3 5/11, fields' },
  },
  {
    id: 'bar',
    concern: 'Component BAR',
    rfc: {
      layer: 'L1 vfio-pci',
      how: 'The whole BAR cannot be mapped; accesses beside the HDM block reach the device.',
      cite: 'RFC patch 09',
    },
    v3: {
      layer: 'L1 vfio-pci',
      how: 'Mapped but for the component block (sparse mmap); raw accesses to the block are refused.',
      cite: doc('UAPI: CAP_CXL'),
    },
  },
  {
    id: 'memory',
    concern: 'Device memory for user space',
    rfc: {
      layer: 'L1 vfio-cxl-core',
      how: 'Region 9, mapped noncached, all pages at the first touch.',
      cite: 'RFC patch 05',
    },
    v3: {
      layer: 'L1 vfio-pci',
      how: 'The HDM region: the host range requested and mapped write-back at bind, a page per fault.',
      cite: doc('VFIO regions exposed'),
    },
  },
  {
    id: 'guest-commit',
    concern: 'The decoder L2 finds',
    rfc: {
      layer: 'L2 driver',
      how: 'Uncommitted: the driver asks for HPA and DPA and the core commits the virtual decoder.',
      cite: 'L2 test driver, steps 12 to 15',
    },
    v3: {
      layer: 'L1 QEMU',
      how: 'The VMM programs and commits virtual decoder 0 at machine_done; L2 assembles its region from it.',
      cite: 'companion QEMU RFC 0/9 (27 Apr 2026)',
    },
  },
  {
    id: 'opt-out',
    concern: 'Doing without it',
    rfc: {
      layer: 'L1 variant driver',
      how: 'Not binding it: vfio-pci takes the device as a plain one.',
      cite: 'RFC patch 12',
    },
    v3: {
      layer: 'L1 vfio-pci',
      how: "vfio_pci.disable_cxl=1, or a variant driver's own bit: asked for before anything else.",
      cite: 'v3 11/11',
    },
  },
  {
    id: 'events',
    concern: 'Writes of the component BAR tied to an event file',
    rfc: {
      layer: 'device',
      how: 'Nothing stands in the way: such a write passes the shadow by.',
      cite: 'RFC patch 08 (not touched), vfio_pci_ioeventfd',
    },
    v3: { layer: 'L1 vfio-pci', how: 'Refused where they overlap the component block.', cite: 'v3 8/11' },
  },
  {
    id: 'reset',
    concern: 'Reset',
    rfc: {
      layer: 'nobody',
      how: 'Function reset switched off; hot reset still open; registers and shadow stay.',
      cite: 'RFC patch 09',
    },
    v3: {
      layer: 'nobody',
      how: 'Not integrated: a reset leaves the shadows stale.',
      cite: doc('Known limitations'),
    },
  },
];

/** Concerns whose layer is another one in v3. */
export const movedConcerns = (): readonly Moved[] => V3_MOVED.filter(({ rfc, v3 }) => rfc.layer !== v3.layer);
