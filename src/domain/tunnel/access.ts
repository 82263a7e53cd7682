import { switchedOff, unauthorized } from '../../kernel/errors.ts';
import { hashSecret } from '../../kernel/secrets.ts';
import type { Deps } from '../deps.ts';
import { requireActive } from '../organization/index.ts';
import type { Principal } from '../principal.ts';
import { settingsFor } from '../settings/index.ts';

/** Asked once it is known that the caller may: whoever may not is told nothing else. @throws SERVICE_UNAVAILABLE */
export async function requireTunnels(deps: Deps, principal: Principal | null): Promise<void> {
  const { tunnels } = await settingsFor(deps, principal);
  if (!tunnels) throw switchedOff('tunnels_off', 'This installation has its tunnels switched off.');
}

const SEEN_MS = 60_000;

/**
 * The device that a token belongs to, which is thereby seen.
 *
 * @throws UNAUTHORIZED for a token that is unknown or was revoked, and while its owner is suspended;
 *   PRECONDITION_FAILED in an inactive organization
 */
export async function requireDevice(deps: Deps, token: string): Promise<{ id: string }> {
  type Row = { id: string; lastSeenAt: Date | null; suspended: boolean | null; active: boolean | null };
  const now = deps.now();
  return deps.db.query(async (sql) => {
    const [device] = await sql<Row[]>`
      select d.id, d.last_seen_at, u.suspended_at is not null as suspended, o.active
      from tunnel_devices d left join users u on u.id = d.user_id left join organizations o on o.id = d.organization_id
      where d.token_hash = ${hashSecret(token)}`;
    if (device === undefined) {
      throw unauthorized('device_token_invalid', 'This device token is unknown or was revoked.');
    }
    const { id, lastSeenAt, suspended, active } = device;
    if (suspended === true) throw unauthorized('account_suspended', 'This account is suspended.');
    requireActive({ active: active ?? true });
    const due = new Date(now.getTime() - SEEN_MS);
    if (lastSeenAt === null || lastSeenAt <= due) {
      await sql`update tunnel_devices set last_seen_at = ${now}
        where id = ${id} and (last_seen_at is null or last_seen_at <= ${due})`;
    }
    return { id };
  });
}
