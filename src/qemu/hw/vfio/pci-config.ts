/**
 * Configuration space of a passed-through function (hw/vfio/pci.c vfio_pci_read_config, vfio_pci_write_config, QEMU 9):
 * bits QEMU emulates come from its own copy, all others from the kernel; every write goes to both.
 * Left out: interrupt delivery (MSI and MSI-X enable bits are kept, no message is routed), sub-page BARs.
 */
import { hex, type Width } from '../../../base/addr.ts';
import { E, strerror } from '../../../base/errno.ts';
import { type PciEnv, PciFunction, type PciFunctionOptions } from '../../../hw/pci/index.ts';
import type { SiteId } from '../../../log/index.ts';
import type { VirtualMachine } from '../../qdev/virtual-machine.ts';
import type { VfioDeviceFd } from './common.ts';

const PCI_HEADER_TYPE = 0x0e;
const PCI_BASE_ADDRESS_0 = 0x10;
const PCI_ROM_ADDRESS = 0x30;
const PCI_CAPABILITY_LIST = 0x34;
const PCI_STATUS = 0x06;
const MSIX_CAP_LENGTH = 12;
const MSI_CAP_LENGTH = 24;

export class VfioFunction extends PciFunction {
  /** struct VFIOPCIDevice emulated_config_bits */
  readonly emulated_config_bits: Uint8Array;
  private device: VfioDeviceFd | null = null;
  private config_offset = 0;
  private msix_cap = 0;
  private readonly buffers: Readonly<Record<number, Uint8Array>> = {
    1: new Uint8Array(1),
    2: new Uint8Array(2),
    4: new Uint8Array(4),
  };
  private readonly readSite: SiteId;
  private readonly writeSite: SiteId;

  constructor(
    env: PciEnv,
    private readonly vm: VirtualMachine,
    options: PciFunctionOptions,
  ) {
    super(env, options);
    this.emulated_config_bits = new Uint8Array(options.layout.size);
    const site = (name: string, what: string) =>
      vm.log.site({
        layer: vm.layer,
        name: `${name} ${options.host ?? ''}`,
        args: ['offset', what],
        cite: 'QEMU hw/vfio/pci.c',
      });
    this.readSite = site('vfio_pci_read_config', 'width');
    this.writeSite = site('vfio_pci_write_config', 'value');
  }

  /** Takes the kernel's view as QEMU's copy and marks what QEMU emulates. @returns false when the read fell short */
  attach(device: VfioDeviceFd, config_offset: number, size: number): boolean {
    const { config, emulated_config_bits: emu, vm } = this;
    const bytes = new Uint8Array(Math.min(size, this.configSize));
    if (vm.sys.pread(device.fd, bytes, config_offset) < bytes.length) return false;
    const view = new DataView(bytes.buffer);
    for (let at = 0; at < bytes.length; at += 4) config.poke(at, 4, view.getUint32(at, true));
    // BARs and the ROM are QEMU's to place: no address of the host may show.
    for (let at = PCI_BASE_ADDRESS_0; at < PCI_BASE_ADDRESS_0 + 24; at += 4) config.poke(at, 4, 0);
    config.poke(PCI_ROM_ADDRESS, 4, 0);
    config.poke(PCI_HEADER_TYPE, 1, config.peek(PCI_HEADER_TYPE, 1) & 0x7f);
    emu.fill(0xff, PCI_BASE_ADDRESS_0, PCI_BASE_ADDRESS_0 + 24);
    emu.fill(0xff, PCI_ROM_ADDRESS, PCI_ROM_ADDRESS + 4);
    emu[PCI_HEADER_TYPE] = 0x80;
    this.device = device;
    this.config_offset = config_offset;
    this.vfio_add_capabilities();
    return true;
  }

  /** vfio_add_std_cap and vfio_add_ext_cap: same offsets, links emulated, MSI and MSI-X all QEMU's. */
  private vfio_add_capabilities(): void {
    const { config, emulated_config_bits: emu } = this;
    if (config.peek(PCI_STATUS, 2) & 0x10) {
      emu[PCI_CAPABILITY_LIST] = 0xff;
      emu[PCI_STATUS] = (emu[PCI_STATUS] ?? 0) | 0x10;
      let pos = config.peek(PCI_CAPABILITY_LIST, 1);
      for (let hops = 0; pos >= 0x40 && hops < 48; hops++) {
        emu[pos + 1] = 0xff;
        const id = config.peek(pos, 1);
        if (id === 0x11) {
          this.msix_cap = pos;
          emu.fill(0xff, pos, pos + MSIX_CAP_LENGTH);
        } else if (id === 0x05) emu.fill(0xff, pos, pos + MSI_CAP_LENGTH);
        pos = config.peek(pos + 1, 1);
      }
    }
    if (this.configSize <= 256 || config.peek(0x100, 4) === 0) return;
    emu.fill(0xff, 0x100, 0x104);
    let pos = 0x100;
    for (let hops = 0; pos >= 0x100 && hops < 480; hops++) {
      const header = config.peek(pos, 4);
      // The next pointer, bits 31:20 of the header.
      emu[pos + 2] = (emu[pos + 2] ?? 0) | 0xf0;
      emu[pos + 3] = 0xff;
      pos = (header >>> 20) & 0xffc;
    }
  }

  private emulated(offset: number, width: number): number {
    let bits = 0;
    for (let n = width - 1; n >= 0; n--) bits = bits * 256 + (this.emulated_config_bits[offset + n] ?? 0);
    return bits;
  }

  /** vfio_pci_read_config; a failed read gives -errno, as the code returns it. */
  override config_read(offset: number, width: Width): number {
    const { device } = this;
    if (!device || width === 8) return super.config_read(offset, width);
    const outer = this.log.begin(this.readSite, offset, width);
    const all = width === 4 ? 0xffffffff : width === 2 ? 0xffff : 0xff;
    const emu = this.emulated(offset, width);
    const mine = emu === 0 ? 0 : super.config_read(offset, width);
    let value = mine;
    if (emu !== all) {
      const buffer = this.buffers[width] as Uint8Array;
      const got = this.vm.sys.pread(device.fd, buffer, this.config_offset + offset);
      if (got !== width) {
        const errno = got < 0 ? got : -E.EINVAL;
        this.vm.error_report(
          `vfio_pci_read_config(${device.name}, 0x${hex(offset)}, 0x${hex(width)}) failed: ${strerror(errno)}`,
        );
        value = errno >>> 0;
      } else {
        let phys = 0;
        for (let n = width - 1; n >= 0; n--) phys = ((phys << 8) | (buffer[n] as number)) >>> 0;
        value = ((mine & emu) | (phys & ~emu)) >>> 0;
      }
    }
    this.log.end(outer, value);
    return value;
  }

  /** vfio_pci_write_config: the kernel filters, QEMU keeps its emulated bits and BAR mappings right. */
  override config_write(offset: number, width: Width, value: number): void {
    const { device } = this;
    if (!device || width === 8) {
      super.config_write(offset, width, value);
      return;
    }
    const outer = this.log.begin(this.writeSite, offset, value);
    const buffer = this.buffers[width] as Uint8Array;
    for (let n = 0; n < width; n++) buffer[n] = (value >>> (8 * n)) & 0xff;
    const put = this.vm.sys.pwrite(device.fd, buffer, this.config_offset + offset);
    if (put !== width)
      this.vm.error_report(
        `vfio_pci_write_config(${device.name}, 0x${hex(offset)}, 0x${hex(value)}, 0x${hex(width)}) failed: ${strerror(put < 0 ? put : E.EINVAL)}`,
      );
    if (this.msix_cap && offset < this.msix_cap + 4 && offset + width > this.msix_cap + 2)
      this.msix_write(offset, width, value);
    else if (offset < 0x40) super.config_write(offset, width, value);
    this.log.end(outer, put);
  }

  /** Only Enable and Function Mask of MSI-X Message Control can be written. */
  private msix_write(offset: number, width: number, value: number): void {
    const at = this.msix_cap + 2;
    for (let n = 0; n < width; n++) {
      if (offset + n !== at + 1) continue;
      const byte = (value >>> (8 * n)) & 0xc0;
      this.config.poke(at + 1, 1, (this.config.peek(at + 1, 1) & 0x3f) | byte);
    }
  }

  /** Position of the MSI-X capability, 0 if absent. */
  get msixCap(): number {
    return this.msix_cap;
  }
}
