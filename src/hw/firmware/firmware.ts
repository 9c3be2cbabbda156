/**
 * What SeaBIOS 1.16.3 does between power-on and the kernel's first instruction, as code on the machine's own bus: memory map,
 * PCI setup, ACPI tables, and -kernel/-initrd/-append from fw_cfg. Left out: option ROMs, SMM, SMBIOS, MP tables, boot devices.
 */
import { alignDown, KiB, MiB } from '../../base/addr.ts';
import { UserError } from '../../base/assert.ts';
import { concat, text } from '../../base/bytes.ts';
import type { BootParams } from '../bus/boot-params.ts';
import type { CpuBus } from '../bus/cpu-bus.ts';
import { ConfigCycles } from './config-cycles.ts';
import { addQemuE820, E820Map } from './e820.ts';
import {
  FW_CFG_CMDLINE_DATA,
  FW_CFG_CMDLINE_SIZE,
  FW_CFG_INITRD_DATA,
  FW_CFG_INITRD_SIZE,
  FW_CFG_KERNEL_DATA,
  FW_CFG_KERNEL_SIZE,
  FW_CFG_SETUP_DATA,
  FW_CFG_SETUP_SIZE,
  FwCfg,
} from './fw-cfg.ts';
import { pci_setup } from './pciinit.ts';
import { romfile_loader_execute, Zone } from './table-loader.ts';

/** Top of what SeaBIOS leaves free in its f-segment below SMBIOS and the MP table (golden A: RSDP at 0xf52a0). */
/** Where SeaBIOS puts the first option ROM. */
const OPTION_ROMS = 0xc0000;
const FSEG_TOP = 0xf52c0;
/** SeaBIOS's own permanent data in high memory (golden A: one page below the tables). */
const HIGH_DATA = 4 * KiB;

export interface FirmwareOptions {
  /** Physical address bits of the CPU (CPUID 0x80000008). QEMU's default is 40. */
  readonly physBits?: number;
}

export function runFirmware(bus: CpuBus, options: FirmwareOptions = {}): BootParams {
  const cfg = FwCfg.probe(bus);
  if (!cfg) throw new UserError('firmware: this machine has no fw_cfg device to boot from');
  const e820 = new E820Map();
  const ram = addQemuE820(e820, cfg.file('etc/e820') ?? new Uint8Array(0));
  e820.add(0xfffc0000, 256 * KiB, 'reserved');
  pamWritable(bus, true);
  pci_setup(bus, {
    extraRoots: cfg.fileNumber('etc/extra-pci-roots', 0),
    ramSize: ram.low,
    ramSizeOver4G: ram.high,
    reservedMemoryEnd: cfg.fileNumber('etc/reserved-memory-end', 0),
    physBits: options.physBits ?? 40,
    e820,
  });
  const zones = { high: new Zone(ram.low - 16 * MiB, ram.low), fseg: new Zone(0xf0000, FSEG_TOP) };
  const placed = romfile_loader_execute(bus, cfg, zones);
  if (cfg.number(FW_CFG_KERNEL_SIZE) > 0) bus.copyTo(OPTION_ROMS, linuxbootRom());
  pamWritable(bus, false);

  const high = alignDown(zones.high.top, 4 * KiB) - HIGH_DATA;
  e820.add(0xa0000, 0x60000, 'hole');
  e820.add(0x9fc00, 0x400, 'reserved');
  e820.add(0xf0000, 0x10000, 'reserved');
  e820.add(high, ram.low - high, 'reserved');

  const kernel = concat([
    cfg.item(FW_CFG_SETUP_DATA, cfg.number(FW_CFG_SETUP_SIZE)),
    cfg.item(FW_CFG_KERNEL_DATA, cfg.number(FW_CFG_KERNEL_SIZE)),
  ]);
  const line = cfg.item(FW_CFG_CMDLINE_DATA, cfg.number(FW_CFG_CMDLINE_SIZE));
  const end = line.indexOf(0);
  return {
    e820: e820.entries(),
    rsdp: placed.get('etc/acpi/rsdp') ?? 0,
    cmdline: text(end < 0 ? line : line.subarray(0, end)),
    kernel,
    initrd: cfg.item(FW_CFG_INITRD_DATA, cfg.number(FW_CFG_INITRD_SIZE)),
  };
}

/** QEMU's linuxboot_dma.bin as SeaBIOS shadows it: signature, length, checksum. Its code is this file's. */
function linuxbootRom(): Uint8Array {
  const rom = new Uint8Array(3 * 512);
  rom.set([0x55, 0xaa, 3]);
  rom[rom.length - 1] = -rom.reduce((sum, byte) => sum + byte, 0);
  return rom;
}

/** make_bios_writable / make_bios_readonly: the PAM registers of the Q35 host bridge (golden A after boot: e4000-effff stay RAM). */
function pamWritable(bus: CpuBus, writable: boolean): void {
  const cfg = new ConfigCycles(bus);
  if (!cfg.present() || cfg.read(0, 0, 4) !== 0x29c08086) return;
  const values = writable ? [0x30, 0x33, 0x33, 0x33, 0x33, 0x33, 0x33] : [0x10, 0x11, 0x11, 0x11, 0x11, 0x31, 0x33];
  values.forEach((value, n) => {
    cfg.write(0, 0x90 + n, 1, value);
  });
}
