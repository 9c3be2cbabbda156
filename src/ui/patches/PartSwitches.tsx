import type { BuildChoice } from '../../protocol/build-choice.ts';
import styles from './Patches.module.css';
import { type Segment, Segments } from './Segments.tsx';

const DEVICES: readonly Segment<BuildChoice['device']>[] = [
  { value: 'B', label: 'profile B', title: 'cxl-accel of December 2024: component registers on BAR 0, four decoders' },
  { value: 'A', label: 'profile A', title: 'cxl-accel of the RFC’s time, with device registers and a mailbox' },
  { value: 'none', label: 'absent', title: 'a QEMU without cxl-accel' },
];
const DECODERS: readonly Segment<BuildChoice['decoders']>[] = [
  { value: '4', label: 'four' },
  { value: '1', label: 'one', title: 'what the v3 series asks for' },
];
const MEMORIES: readonly Segment<BuildChoice['memory']>[] = [
  { value: '256M', label: '256 MiB', title: 'what the RFC’s driver has written into it' },
  { value: '512M', label: '512 MiB' },
  { value: '1G', label: '1 GiB' },
  { value: 'none', label: 'none', title: 'no backend: the media never becomes active' },
];
const BARS: readonly Segment<BuildChoice['bar']>[] = [
  { value: '64K', label: '64 KiB', title: 'what the RFC’s code takes for granted' },
  { value: '8K', label: '8 KiB' },
  { value: '128K', label: '128 KiB' },
  { value: '128K@64K', label: 'block at 64 KiB', title: '128 KiB, the component block in the upper half' },
];
const VFIO: readonly Segment<BuildChoice['bind']>[] = [
  { value: 'variant', label: 'cxl-accel-vfio-pci', title: 'the driver of patch 12' },
  { value: 'vfio-pci', label: 'vfio-pci', title: 'what the v3 series makes of it, or a plain PCI device without it' },
];
const QEMUS: readonly Segment<BuildChoice['qemu']>[] = [
  { value: 'intended', label: 'intended', title: 'the VFIO stub as its author meant it' },
  { value: 'posted', label: 'posted', title: 'as mailed: commit and de-commit swapped' },
  { value: 'branch', label: 'branch', title: 'the later branch: base_lo >> 28' },
  { value: 'upstream', label: 'upstream', title: 'no CXL support in vfio-pci' },
  { value: 'v3', label: 'v3', title: 'made for the v3 series' },
];
const DRIVERS: readonly Segment<BuildChoice['driver']>[] = [
  { value: 'rfc', label: 'RFC', title: 'the dummy driver of the series' },
  { value: '2025', label: '2025 sample', title: 'samples/cxl/accel.c' },
  { value: 'v28', label: '2026 interface', title: 'a test driver of the lab on the type-2 series v28' },
];

/** Everything around the series: the device, L1's VFIO driver and QEMU, L2's driver. */
export function PartSwitches(props: {
  readonly choice: BuildChoice;
  readonly onChange: (choice: BuildChoice) => void;
}) {
  const { choice, onChange } = props;
  const set = (change: Partial<BuildChoice>) => onChange({ ...choice, ...change });
  return (
    <div className={styles.switches}>
      <Segments label="Host’s device" value={choice.device} options={DEVICES} onChange={(device) => set({ device })} />
      <Segments label="Memory" value={choice.memory} options={MEMORIES} onChange={(memory) => set({ memory })} />
      <Segments label="BAR 0" value={choice.bar} options={BARS} onChange={(bar) => set({ bar })} />
      <Segments
        label="Decoders"
        value={choice.decoders}
        options={DECODERS}
        onChange={(decoders) => set({ decoders })}
      />
      <Segments label="L1’s VFIO driver" value={choice.bind} options={VFIO} onChange={(bind) => set({ bind })} />
      <Segments label="L1’s QEMU" value={choice.qemu} options={QEMUS} onChange={(qemu) => set({ qemu })} />
      <Segments label="L2’s driver" value={choice.driver} options={DRIVERS} onChange={(driver) => set({ driver })} />
      <fieldset className={styles.boxes}>
        <legend className="visually-hidden">More of the machines</legend>
        <Box label="device has a reset handler" on={choice.reset} onChange={(reset) => set({ reset })} />
        <Box label="firmware commits decoder 0" on={choice.committed} onChange={(committed) => set({ committed })} />
        <Box
          label="guests see the hypervisor bit"
          on={choice.hypervisor}
          onChange={(hypervisor) => set({ hypervisor })}
        />
        <Box
          label="v3’s QEMU leaves the virtual decoder released"
          on={choice.released}
          onChange={(released) => set({ released })}
        />
        <Box
          label="L1 fails to map the region (ioremap)"
          on={choice.failIoremap}
          onChange={(failIoremap) => set({ failIoremap })}
        />
      </fieldset>
    </div>
  );
}

export function Box(props: { readonly label: string; readonly on: boolean; readonly onChange: (on: boolean) => void }) {
  return (
    <label className={styles.box}>
      <input type="checkbox" checked={props.on} onChange={(event) => props.onChange(event.target.checked)} />
      {props.label}
    </label>
  );
}
