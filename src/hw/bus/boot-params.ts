import type { Addr } from '../../base/addr.ts';

/** What firmware hands to the kernel it starts (x86 boot protocol: zero page, e820, RSDP pointer), as one object. */
export interface BootParams {
  /** A reboot: memory holds what the machine left there. */
  readonly warm?: boolean;
  readonly e820: readonly E820Entry[];
  /** Guest-physical address of the ACPI root pointer. */
  readonly rsdp: Addr;
  readonly cmdline: string;
  /** Bytes of the kernel image file given with -kernel. */
  readonly kernel: Uint8Array;
  /** Bytes of the initrd file, empty without -initrd. */
  readonly initrd: Uint8Array;
}

export interface E820Entry {
  readonly start: Addr;
  readonly size: number;
  readonly type: 'usable' | 'reserved' | 'ACPI data' | 'ACPI NVS';
}
