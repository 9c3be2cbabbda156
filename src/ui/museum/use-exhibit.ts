import { useEffect, useState } from 'react';
import type { SideLab } from '../../mirror/index.ts';
import type { ExhibitSetting, ExhibitStep, SideClient } from '../../mirror/side-client.ts';

export interface ExhibitPlay {
  readonly posted: readonly ExhibitStep[];
  readonly intended: readonly ExhibitStep[];
  readonly state: 'running' | 'done' | 'failed';
  /** Why a run ended before its last line, by setting. */
  readonly stopped: Readonly<Record<ExhibitSetting, string | null>>;
  /** The engine's own trouble. */
  readonly problem: string | null;
}

const RUNNING: ExhibitPlay = {
  posted: [],
  intended: [],
  state: 'running',
  stopped: { posted: null, intended: null },
  problem: null,
};

/** Plays an exhibit in two labs beside the session; another exhibit ends the run of the one before. */
export function useExhibit(
  side: SideClient,
  id: string,
  labs: Readonly<Record<ExhibitSetting, SideLab>>,
): ExhibitPlay & { readonly id: string } {
  const [play, setPlay] = useState({ ...RUNNING, id });
  const { posted, intended } = labs;
  useEffect(() => {
    let shown = true;
    setPlay({ ...RUNNING, id });
    const take = (step: ExhibitStep) => {
      if (shown) setPlay((known) => ({ ...known, [step.setting]: [...known[step.setting], step] }));
    };
    const of = (steps: readonly ExhibitStep[], setting: ExhibitSetting) =>
      steps.filter((step) => step.setting === setting);
    side.exhibit(id, take, { posted, intended }).then(
      (runs) => {
        if (!shown || !runs) return;
        const { steps, stopped } = runs;
        const both = { posted: of(steps, 'posted'), intended: of(steps, 'intended') };
        setPlay({ ...both, id, state: 'done', stopped, problem: null });
      },
      (error: unknown) => {
        const problem = error instanceof Error ? error.message : String(error);
        if (shown) setPlay((known) => ({ ...known, state: 'failed', problem }));
      },
    );
    return () => {
      shown = false;
    };
  }, [side, id, posted, intended]);
  return play;
}
