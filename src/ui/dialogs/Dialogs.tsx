import { Dialog } from 'radix-ui';
import { lazy, type ReactNode, Suspense } from 'react';
import { useMirror, usePageState } from '../context.tsx';
import styles from './Dialogs.module.css';
import { Fidelity } from './Fidelity.tsx';
import { Gallery } from './Gallery.tsx';
import { GotoForm } from './GotoForm.tsx';
import { KeysSheet } from './KeysSheet.tsx';
import { SettingsForm } from './SettingsForm.tsx';

const Palette = lazy(() => import('./Palette.tsx'));
const PatchBoard = lazy(() => import('../patches/PatchBoard.tsx'));
const Museum = lazy(() => import('../museum/Museum.tsx'));
const VfioStructs = lazy(() => import('../meters/VfioStructs.tsx'));
const OwnershipTable = lazy(() => import('../meters/OwnershipTable.tsx'));
const ExitMeter = lazy(() => import('../meters/ExitMeter.tsx'));
const TopologyDialog = lazy(() => import('./TopologyDialog.tsx'));

/** All dialogs behind one state: at most one is open. */
export default function Dialogs() {
  const mirror = useMirror();
  const dialog = usePageState((state) => state.dialog);
  const close = () => {
    mirror.update({ dialog: null, dialogAbout: '' });
    if (location.hash) history.replaceState(null, '', location.pathname + location.search);
  };
  if (dialog === null) return null;
  const content: Readonly<
    Record<
      typeof dialog,
      { title: string; body: ReactNode; wide?: boolean; huge?: boolean; full?: boolean; bare?: boolean }
    >
  > = {
    palette: { title: 'Commands', body: <Palette onDone={close} />, bare: true },
    keys: { title: 'Keys', body: <KeysSheet />, wide: true },
    settings: { title: 'Settings', body: <SettingsForm /> },
    fidelity: { title: 'Fidelity: where the model differs from the real thing', body: <Fidelity />, wide: true },
    gallery: { title: 'Scenarios', body: <Gallery />, wide: true },
    topology: { title: 'Topology from a command line', body: <TopologyDialog />, wide: true, huge: true },
    patches: { title: 'Patch board', body: <PatchBoard />, full: true },
    museum: { title: 'Review museum', body: <Museum />, full: true },
    ownership: { title: 'Who owns each register', body: <OwnershipTable />, huge: true },
    structs: { title: 'What VFIO tells of the device', body: <VfioStructs />, huge: true },
    exits: { title: 'Exit meter', body: <ExitMeter />, huge: true },
    goto: { title: 'Go to address', body: <GotoForm onDone={close} /> },
  };
  const shown = content[dialog];
  return (
    <Dialog.Root
      open
      onOpenChange={(open) => {
        if (!open) close();
      }}
    >
      <Dialog.Portal>
        <Dialog.Overlay className={styles.overlay} />
        <Dialog.Content
          className={styles.content}
          data-wide={shown.wide === true}
          data-huge={shown.huge === true}
          data-full={shown.full === true}
          data-bare={shown.bare === true}
          aria-describedby={undefined}
          // Focus begins at the dialog itself, not at its Close; what it shows may take it from there.
          tabIndex={-1}
          onOpenAutoFocus={(event) => {
            if (shown.bare || !(event.currentTarget instanceof HTMLElement)) return;
            event.preventDefault();
            if (!event.currentTarget.contains(document.activeElement)) event.currentTarget.focus();
          }}
        >
          <Dialog.Title className={shown.bare ? 'visually-hidden' : styles.title}>{shown.title}</Dialog.Title>
          <div className={styles.body}>
            <Suspense fallback={<p className={styles.opening}>Opening…</p>}>{shown.body}</Suspense>
          </div>
          {shown.bare ? null : <Dialog.Close className={styles.close}>Close</Dialog.Close>}
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
