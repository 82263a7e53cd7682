import type { Transaction } from '../../db/client.ts';
import { newId } from '../../kernel/ids.ts';
import { clientOf } from '../../kernel/networks.ts';
import { newSecret } from '../../kernel/secrets.ts';
import { record } from '../audit/index.ts';
import type { Deps } from '../deps.ts';
import { enqueue } from '../job/index.ts';
import type { Origin } from '../principal.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
/** A session ends when it was not used for so long, and after `MAX_AGE_MS` whatever its use. */
export const IDLE_MS = 7 * DAY_MS;
export const MAX_AGE_MS = 30 * DAY_MS;
/** One that is not to be remembered. */
const SHORT_MS = DAY_MS;
/** Old ones deleted with each new one: more than come in, so that they do not pile up. */
const DELETED_AT_ONCE = 10;

export type OpenedSession = {
  /** Goes into the cookie and nowhere else. */
  token: string;
  remembered: boolean;
};

/** Whether an account that was signed in to before is so for the first time from there. */
async function rememberClient(tx: Transaction, userId: string, ipAddress: string | null, now: Date) {
  if (ipAddress === null) return false;
  const client = clientOf(ipAddress);
  const [found] = await tx<{ elsewhere: boolean }[]>`
    with added as (
      insert into known_clients ${tx({ userId, client, createdAt: now })} on conflict do nothing returning client)
    select exists (select 1 from known_clients where user_id = ${userId} and client <> ${client})
      and exists (select 1 from added) as elsewhere`;
  return found?.elsewhere === true;
}

/**
 * Signs an account in: the session, its audit row, and a mail to the holder when the sign-in comes from somewhere new.
 * The caller holds the user's row.
 */
export async function openSession(
  tx: Transaction,
  deps: Deps,
  origin: Origin,
  user: { id: string; email: string },
  options: { remembered: boolean; method: 'password' | 'totp' | 'recoveryCode' },
): Promise<OpenedSession> {
  const now = deps.now();
  const session = {
    id: newId(),
    token: newSecret(),
    userId: user.id,
    ipAddress: origin.ipAddress,
    userAgent: origin.userAgent,
    remembered: options.remembered,
    lastSeenAt: now,
    expiresAt: new Date(now.getTime() + (options.remembered ? IDLE_MS : SHORT_MS)),
    createdAt: now,
    updatedAt: now,
  };
  const isElsewhere = await rememberClient(tx, user.id, origin.ipAddress, now);
  await tx`insert into sessions ${tx(session)}`;
  await tx`
    with old as materialized (
      select id from sessions where created_at <= ${new Date(now.getTime() - MAX_AGE_MS)}
      order by created_at limit ${DELETED_AT_ONCE} for update skip locked)
    delete from sessions s using old where s.id = old.id`;
  await record(tx, { ...origin, userId: user.id, email: user.email }, now, {
    organizationId: null,
    action: 'login',
    resourceType: 'session',
    resourceId: session.id,
    after: { method: options.method, userAgent: origin.userAgent, expiresAt: session.expiresAt },
  });
  if (isElsewhere) {
    const { ipAddress, userAgent } = origin;
    const notice = { kind: 'signIn' as const, at: now.toISOString(), ipAddress, userAgent };
    await enqueue(tx, 'mail.notice', { to: user.email, notice }, now);
  }
  return { token: session.token, remembered: session.remembered };
}
