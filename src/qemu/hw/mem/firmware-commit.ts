/**
 * What platform firmware leaves of an accelerator whose memory it set up: HDM decoder 0 committed and locked over the whole memory,
 * decoding enabled, Mem_Enable set. SeaBIOS does none of it; the 2026 passthrough series wants it, and its companion for QEMU does it
 * at machine_done for the same reason. The writes go through the device's own write rules.
 */
import { hi32, lo32 } from '../../../base/addr.ts';
import { CxlComponent } from '../../../hw/cxl/index.ts';
import type { PciFunction } from '../../../hw/pci/index.ts';
import { CM_OFFSET } from '../../../spec/cxl/component.ts';
import type { Device } from '../../qdev/device-type.ts';
import { take_window_space } from '../cxl-window.ts';

const GLOBAL_CTRL = CM_OFFSET.HDM + 4;
const HDM_ENABLE = 2;
const LOCK_AND_COMMIT = 0x300;
const MEM_ENABLE = 4;

/** From now on every reset of the machine ends with the decoder committed; resets of the device alone do not. */
export function firmware_commits(dev: Device, fn: PciFunction, component: CxlComponent, size: number): void {
  const { vm } = dev;
  const site = vm.log.site({
    layer: vm.layer,
    name: 'firmware commits HDM decoder 0',
    args: ['base', 'size'],
    cite: 'CXL 3.1 8.2.4.20; cxl-accel firmware-committed=on (of this lab)',
  });
  let base: number | null = null;
  vm.onMachineDone(() => {
    base = take_window_space(dev, size);
  });
  vm.onReset(() => {
    if (base === null) return;
    const outer = vm.log.begin(site, base, size);
    const { registers } = component;
    const decoder = CxlComponent.decoderOffset(0);
    // A decoder that is committed already keeps its range: reset handlers may be missing (profile of the RFC's time).
    if (!component.decoders[0]?.committed) {
      registers.write(decoder + 4, 4, hi32(base));
      registers.write(decoder, 4, lo32(base));
      registers.write(decoder + 12, 4, hi32(size));
      registers.write(decoder + 8, 4, lo32(size));
      registers.write(decoder + 16, 4, LOCK_AND_COMMIT);
    }
    registers.write(GLOBAL_CTRL, 4, HDM_ENABLE);
    fn.config.set('CXL_CTRL', fn.config.get('CXL_CTRL') | MEM_ENABLE);
    vm.log.end(outer, 1);
  });
}
