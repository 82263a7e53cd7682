import { notFound, preconditionFailed } from '../../kernel/errors.ts';
import { record } from '../audit/index.ts';
import type { Deps } from '../deps.ts';
import { inOwner, type Owner, ownerColumns } from '../owner/index.ts';
import type { Principal } from '../principal.ts';
import { lockUser } from '../user-lock.ts';
import { requested, type TunnelRequest, userCodeHash } from './row.ts';

const MAX_DEVICES_PER_OWNER = 100;

/** Unknown, decided on and expired are one answer. */
const unknownCode = () => notFound('User code');

/** What the device that shows this code says of itself. @throws NOT_FOUND */
export async function previewEnrolment(deps: Deps, userCode: string): Promise<TunnelRequest> {
  const [request] = await deps.db.query(
    (sql) => sql<TunnelRequest[]>`
      select ${requested(sql)} from tunnel_enrolments
      where user_code_hash = ${userCodeHash(deps.rules, userCode)} and status = 'pending'
        and expires_at > ${deps.now()}`,
  );
  if (request === undefined) throw unknownCode();
  return request;
}

/**
 * Lets the device that shows this code in, for the owner. It becomes one of the owner's when it fetches its token.
 *
 * @throws NOT_FOUND for a code that is unknown, decided on or expired; PRECONDITION_FAILED at the limit of devices or in
 *   an inactive organization
 */
export function approveEnrolment(deps: Deps, owner: Owner, userCode: string): Promise<TunnelRequest> {
  return inOwner(deps, owner, 'tunnelDevice', async (tx, log) => {
    const { userId, organizationId } = ownerColumns(owner);
    const now = deps.now();
    const [count] = await tx<{ devices: number }[]>`
      select
        (select count(*) from tunnel_devices where user_id = ${userId} or organization_id = ${organizationId})
        + (select count(*) from tunnel_enrolments
          where expires_at > ${now} and (organization_id = ${organizationId}
            or (approved_by = ${userId} and organization_id is null))) as devices`;
    if (count !== undefined && count.devices >= MAX_DEVICES_PER_OWNER) {
      throw preconditionFailed(
        'too_many_tunnel_devices',
        `There are at most ${MAX_DEVICES_PER_OWNER} tunnel devices.`,
      );
    }
    const approval = { status: 'approved', approvedBy: owner.principal.userId, organizationId };
    const [request] = await tx<TunnelRequest[]>`
      update tunnel_enrolments set ${tx(approval)}
      where user_code_hash = ${userCodeHash(deps.rules, userCode)} and status = 'pending' and expires_at > ${now}
      returning ${requested(tx)}`;
    if (request === undefined) throw unknownCode();
    const { deviceId, name, ipAddress } = request;
    await log({ action: 'approve', resourceId: deviceId, resourceName: name, after: { name, ipAddress } });
    return request;
  });
}

/**
 * Turns down the device that shows this code.
 *
 * @throws NOT_FOUND for a code that is unknown, decided on or expired
 */
export function denyEnrolment(deps: Deps, principal: Principal, userCode: string): Promise<TunnelRequest> {
  return deps.db.transaction(async (tx) => {
    await lockUser(tx, principal.userId);
    const now = deps.now();
    const [request] = await tx<TunnelRequest[]>`
      update tunnel_enrolments set status = 'denied'
      where user_code_hash = ${userCodeHash(deps.rules, userCode)} and status = 'pending' and expires_at > ${now}
      returning ${requested(tx)}`;
    if (request === undefined) throw unknownCode();
    const { deviceId, name, ipAddress } = request;
    await record(tx, principal, now, {
      organizationId: null,
      action: 'deny',
      resourceType: 'tunnelDevice',
      resourceId: deviceId,
      resourceName: name,
      before: { name, ipAddress },
    });
    return request;
  });
}
