/** Configuration mechanism #1 with one function behind it, the processor's host bridge at 00:00.0. Left out: its capabilities and everything else on the bus. */

/** Intel Xeon E5 DMI2 host bridge, revision 7, class host bridge. Read-only. */
const CONFIG: readonly number[] = [0x3c008086, 0, 0x06000007, 0];

export class HostBridge {
  private address = 0;

  inp(port: number, width: 1 | 2 | 4): number {
    if (port < 0xcfc) return width === 4 && port === 0xcf8 ? this.address : 2 ** (8 * width) - 1;
    const ones = 2 ** (8 * width) - 1;
    if (this.address < 0x80000000) return ones;
    const selected = this.address - 0x80000000;
    if (Math.floor(selected / 256) !== 0) return ones;
    const dword = CONFIG[(selected & 0xfc) / 4] ?? 0;
    const value = dword >>> (8 * (port & 3));
    return width === 4 ? value >>> 0 : value & ones;
  }

  outp(port: number, width: 1 | 2 | 4, value: number): void {
    if (port === 0xcf8 && width === 4) this.address = (value & 0x80fffffc) >>> 0;
  }
}
