import type { OutputOf } from '../lib/api.ts';
import { texts } from '../texts.ts';
import { Badge } from './bits.tsx';

type Server = OutputOf<'server.one'>;
type Zone = OutputOf<'dnsZone.one'>;

const TONES = { running: 'good', creating: 'warn', stopped: 'plain', failed: 'bad' } as const;

/** As its node last said, and what it is to become where that is something else. */
export function ServerState({
  server: { state, desiredState },
}: {
  server: Pick<Server, 'state' | 'desiredState'>;
}) {
  const isChanging = state !== desiredState && (state === 'running' || state === 'stopped');
  return (
    <Badge tone={TONES[state]}>{isChanging ? texts.servers.becoming(state, desiredState) : state}</Badge>
  );
}

export function ZoneState({ zone: { status, inSync, lastError } }: { zone: Zone }) {
  if (status === 'pending') return <Badge tone="warn">{texts.zones.pending}</Badge>;
  if (lastError !== null) return <Badge tone="bad">{texts.zones.failing}</Badge>;
  return <Badge tone={inSync ? 'good' : 'warn'}>{inSync ? texts.zones.inSync : texts.zones.syncing}</Badge>;
}
