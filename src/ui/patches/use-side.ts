import { useEffect, useMemo } from 'react';
import { SideClient } from '../../mirror/side-client.ts';
import { useMirror } from '../context.tsx';

/** The second worker for as long as the component lives. */
export function useSide(): SideClient {
  const mirror = useMirror();
  const side = useMemo(() => new SideClient((message) => mirror.update({ busyMessage: message })), [mirror]);
  useEffect(() => () => side.stop(), [side]);
  return side;
}
