import type { Transaction } from '../../db/client.ts';
import { DomainError } from '../../kernel/errors.ts';
import { can, type Role } from '../../kernel/permissions.ts';
import { hashSecret, newSecret } from '../../kernel/secrets.ts';
import { record } from '../audit/index.ts';
import type { Deps } from '../deps.ts';
import { findRole, requireActive } from '../organization/index.ts';
import type { Origin } from '../principal.ts';
import { lockUser } from '../user-lock.ts';
import type { TunnelDevice } from './row.ts';

/** Tells a device's token from other secrets, for people and for scanners of leaked ones. */
const TOKEN_PREFIX = 'tunnel_';
/** What a poll that comes too early adds to the interval (RFC 8628, section 3.5). */
const SLOW_DOWN_S = 5;
/** How much too early a poll may come: the way to us does not always take the same time. */
const TOLERANCE_MS = 1000;

/** Words of RFC 8628, section 3.5. A code that is unknown or used answers as one that has expired. */
const PROBLEMS = {
  authorization_pending: 'Nobody has approved this device yet. Poll again.',
  slow_down: 'This device polls too fast. Wait longer.',
  access_denied: 'This device was turned down.',
  expired_token: 'This device code is unknown, used or too old. Start again.',
};

const refusal = (reason: keyof typeof PROBLEMS, retryAfter?: number) =>
  new DomainError('BAD_REQUEST', reason, PROBLEMS[reason], retryAfter === undefined ? {} : { retryAfter });

type Enrolment = {
  id: string;
  status: 'pending' | 'approved' | 'denied';
  approvedBy: string | null;
  organizationId: string | null;
  /** Whether the approver is suspended, so that the approval does not count. */
  suspended: boolean;
};
type Polled = { pollInterval: number; lastPolledAt: Date | null };
type Approved = { name: string; ipAddress: string | null; email: string };

/** Remembers the poll of a device that nobody has decided on. */
async function wait(tx: Transaction, id: string, now: Date): Promise<DomainError> {
  const [polled] = await tx<Polled[]>`
    select poll_interval, last_polled_at from tunnel_enrolments where id = ${id} for update`;
  if (polled === undefined) return refusal('expired_token');
  const { pollInterval, lastPolledAt } = polled;
  const due = (lastPolledAt?.getTime() ?? 0) + pollInterval * 1000 - TOLERANCE_MS;
  const isEarly = now.getTime() < due;
  const interval = isEarly ? pollInterval + SLOW_DOWN_S : pollInterval;
  await tx`update tunnel_enrolments set poll_interval = ${interval}, last_polled_at = ${now} where id = ${id}`;
  return refusal(isEarly ? 'slow_down' : 'authorization_pending', interval);
}

/**
 * Holds the row of who will own the device, before anything of the device's. For an organization the approver must still
 * be one who may let devices in.
 *
 * @throws BAD_REQUEST `expired_token` where the approver is no member any more, `access_denied` where he may not;
 *   PRECONDITION_FAILED in an inactive organization
 */
async function lockOwner(tx: Transaction, userId: string, organizationId: string | null): Promise<void> {
  if (organizationId === null) {
    await lockUser(tx, userId);
    return;
  }
  const [membership] = await tx<{ active: boolean; role: Role }[]>`
    select o.active, m.role from organizations o join memberships m on m.organization_id = o.id
    where o.id = ${organizationId} and m.user_id = ${userId} for no key update of o, m`;
  if (membership === undefined) throw refusal('expired_token');
  requireActive(membership);
  const role = await findRole(tx, organizationId, membership.role);
  if (role === null || !can(role, 'tunnel:create')) throw refusal('access_denied');
}

/** Makes the device of an approved enrolment, which ends with it: of two polls at once one finds it gone. */
async function enrol(
  tx: Transaction,
  deps: Deps,
  origin: Origin,
  { id, organizationId, approvedBy }: Enrolment & { approvedBy: string },
): Promise<TunnelDevice & { token: string }> {
  await lockOwner(tx, approvedBy, organizationId);
  const [approved] = await tx<Approved[]>`
    delete from tunnel_enrolments e using users u where e.id = ${id} and u.id = e.approved_by
    returning e.name, e.ip_address, u.email`;
  if (approved === undefined) throw refusal('expired_token');
  const { name, ipAddress, email } = approved;
  const now = deps.now();
  const token = TOKEN_PREFIX + newSecret();
  const device: TunnelDevice = {
    id,
    userId: organizationId === null ? approvedBy : null,
    organizationId,
    name,
    ipAddress,
    lastSeenAt: null,
    createdAt: now,
  };
  await tx`insert into tunnel_devices ${tx({ ...device, tokenHash: hashSecret(token) })}`;
  // The device itself is nobody: who let it in has made it.
  await record(tx, { ...origin, userId: approvedBy, email }, now, {
    organizationId,
    action: 'create',
    resourceType: 'tunnelDevice',
    resourceId: id,
    resourceName: name,
    after: { name, ipAddress },
  });
  return { ...device, token };
}

/**
 * Gives a device its token, once somebody has approved it. The answer is the only place where the token appears.
 *
 * @throws BAD_REQUEST with a word of RFC 8628 as its reason; PRECONDITION_FAILED in an inactive organization
 */
export async function pollEnrolment(
  deps: Deps,
  origin: Origin,
  deviceCode: string,
): Promise<TunnelDevice & { token: string }> {
  const now = deps.now();
  const outcome = await deps.db.transaction(async (tx) => {
    const [enrolment] = await tx<Enrolment[]>`
      select e.id, e.status, e.approved_by, e.organization_id, u.suspended_at is not null as suspended
      from tunnel_enrolments e left join users u on u.id = e.approved_by
      where e.device_code_hash = ${hashSecret(deviceCode)} and e.expires_at > ${now}`;
    if (enrolment === undefined) return refusal('expired_token');
    if (enrolment.status === 'denied') return refusal('access_denied');
    const { approvedBy } = enrolment;
    if (approvedBy === null || enrolment.suspended) return wait(tx, enrolment.id, now);
    return enrol(tx, deps, origin, { ...enrolment, approvedBy });
  });
  // Thrown only now: that the device has polled is committed.
  if (outcome instanceof DomainError) throw outcome;
  return outcome;
}
