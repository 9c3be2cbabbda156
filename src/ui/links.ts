import { SCENARIOS } from '../content/scenarios.ts';
import type { Mirror } from '../mirror/index.ts';
import { bootHere } from './header/BootButton.tsx';
import { playFresh } from './header/play.ts';
import { openStateLink } from './state-link.ts';

/**
 * What a link can ask for, after the `#`, so that nothing reaches a server: `scenario=<id>` plays one in a fresh session,
 * `topology=<command line>` opens the dialog with it, `fidelity=<id>` opens the ledger there,
 * `patches=<choice>` the patch board with that build, `museum=<id>` an exhibit, at a moment of its runs where one follows (museum/visit.ts),
 * `state=<session>` a session as somebody left it (mirror/session-link.ts).
 */
export function linkTo(change: Readonly<Record<string, string>>): string {
  const asked = Object.entries(change).map(([name, value]) => `${name}=${readable(value)}`);
  return `${location.origin}${location.pathname}#${asked.join('&')}`;
}

/** Encoded as far as a fragment needs it: `=`, `,`, `;`, `:` and `@` may stand there as they are. */
function readable(value: string): string {
  return encodeURIComponent(value).replace(/%(3D|2C|3B|3A|40)/g, (code) => decodeURIComponent(code));
}

export function playScenario(mirror: Mirror, id: string, opening = false): Promise<void> {
  // The walkthrough from the button and from the gallery is the same: up to the loaded L2 driver.
  return playFresh(mirror, () => (id === 'passthrough' ? bootHere(mirror) : mirror.client.playScenario(id)), opening);
}

/** Does what the address asks for, now and whenever it changes. The request is then taken out: a reload continues. */
export function followLinks(mirror: Mirror): () => void {
  const follow = (opening: boolean) => {
    const asked = new URLSearchParams(location.hash.slice(1));
    const state = asked.get('state');
    if (state !== null) {
      history.replaceState(null, '', location.pathname + location.search);
      void openStateLink(mirror, state);
      return;
    }
    const scenario = asked.get('scenario');
    const topology = asked.get('topology');
    const fidelity = asked.get('fidelity');
    const patches = asked.get('patches');
    const museum = asked.get('museum');
    if (scenario === null && topology === null && fidelity === null && patches === null && museum === null) return;
    if (fidelity === null) history.replaceState(null, '', location.pathname + location.search);
    if (fidelity !== null) mirror.update({ dialog: 'fidelity', dialogAbout: fidelity });
    else if (museum !== null) mirror.update({ dialog: 'museum', dialogAbout: museum });
    else if (patches !== null) mirror.update({ dialog: 'patches', dialogAbout: patches });
    else if (topology !== null) mirror.update({ dialog: 'topology', dialogAbout: topology });
    else if (SCENARIOS.some((one) => one.id === scenario)) void playScenario(mirror, scenario ?? '', opening);
    else
      mirror.update({
        busyMessage: `This link asks for a scenario “${scenario}”, which is not in the gallery.`,
        dialog: 'gallery',
      });
  };
  const changed = () => follow(false);
  follow(true);
  addEventListener('hashchange', changed);
  return () => removeEventListener('hashchange', changed);
}
