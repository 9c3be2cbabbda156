import { viewOf } from '../../base/bytes.ts';
import type { RegisterSpace } from '../registers/register-space.ts';
import type { CdatTable } from './cdat.ts';

const PCI_SIG = 1;
const DISCOVERY = 0;
const CXL = 0x1e98;
const CDAT = 2;
const LAST_ENTRY = 0xffff;
const ABORT = 1;
const GO = 0x8000_0000;
const ERROR = 4;
const READY = 0x8000_0000;
/** Dwords QEMU's mailboxes hold (PCI_DOE_DW_SIZE_MAX). */
const ROOM = 1 << 18;

/**
 * The DOE mailbox of a function's configuration space (QEMU hw/pci/pcie_doe.c) with discovery and CDAT (hw/cxl/cxl-cdat.c).
 * A response is there when the write of GO returns. Left out: interrupts, CDAT files that change while running.
 */
export class Doe {
  private request: number[] = [];
  private response: number[] = [];
  private at = 0;

  constructor(
    private readonly config: RegisterSpace,
    private readonly cdat: () => CdatTable,
  ) {
    config.onWrite('DOE_CTRL', (_before, after) => this.control(after));
    config.onWrite('DOE_WRITE', (_before, after) => {
      config.set('DOE_WRITE', 0);
      if (this.request.length < ROOM) this.request.push(after);
    });
    config.onWrite('DOE_READ', () => this.next());
    this.show(0);
  }

  private control(value: number): void {
    this.config.set('DOE_CTRL', (value & ~(ABORT | GO)) >>> 0);
    if (value & ABORT) this.clear();
    else if (value & GO) this.go();
  }

  /** pcie_doe_prepare_rsp(): an object of the right length and a known protocol gets an answer, anything else is dropped. */
  private go(): void {
    if (this.config.get('DOE_STATUS') & ERROR) return;
    const { request } = this;
    const [head = 0, size = 0] = request;
    const length = (size & 0x3ffff) === 0 ? ROOM : size & 0x3ffff;
    const vendor = head & 0xffff;
    const type = (head >>> 16) & 0xff;
    let answer: number[] | null = null;
    if (request.length === length) {
      if (vendor === PCI_SIG && type === DISCOVERY) answer = discovery(request[2] ?? 0);
      else if (vendor === CXL && type === CDAT && length >= 3) answer = cdat_response(this.cdat(), request[2] ?? 0);
    }
    if (answer === null) {
      this.clear();
      return;
    }
    this.response = answer;
    this.at = 0;
    this.request = [];
    this.show(READY);
  }

  /** A write to the read mailbox takes one dword away; after the last one the mailbox is as new. */
  private next(): void {
    if (this.response.length === 0) {
      this.show(ERROR);
      return;
    }
    this.at++;
    if (this.at === this.response.length) this.clear();
    else this.show(READY);
  }

  private clear(): void {
    this.request = [];
    this.response = [];
    this.at = 0;
    this.show(0);
  }

  private show(status: number): void {
    this.config.set('DOE_STATUS', status);
    this.config.set('DOE_READ', this.response[this.at] ?? 0);
  }
}

/** Index 0 is discovery itself, 1 CDAT; what comes next is in the top byte. */
function discovery(dword: number): number[] {
  const index = dword & 0xff;
  const known = [(DISCOVERY << 16) | PCI_SIG, (CDAT << 16) | CXL];
  const protocol = known[index] ?? 0xffff;
  const following = index + 1 < known.length ? index + 1 : 0;
  return [PCI_SIG, 3, ((following << 24) | protocol) >>> 0];
}

/** cxl_doe_cdat_rsp(): one part of the table after a dword that says which comes next. */
function cdat_response(table: CdatTable, request: number): number[] | null {
  const handle = request >>> 16;
  const part = table[handle];
  if (part === undefined) return null;
  const following = handle + 1 < table.length ? handle + 1 : LAST_ENTRY;
  const view = viewOf(part);
  const body = Array.from({ length: part.length / 4 }, (_, n) => view.getUint32(n * 4, true));
  return [((CDAT << 16) | CXL) >>> 0, 3 + body.length, (following << 16) >>> 0, ...body];
}
