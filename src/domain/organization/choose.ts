import { notFound } from '../../kernel/errors.ts';
import { record } from '../audit/index.ts';
import type { Deps } from '../deps.ts';
import type { OrganizationActor } from '../principal.ts';
import { lockUser } from '../user-lock.ts';
import { requireActive } from './actor.ts';

/** Makes an organization the one that new sessions start in. */
export function setDefault(deps: Deps, { principal, organizationId }: OrganizationActor): Promise<void> {
  const { userId } = principal;
  return deps.db.transaction(async (tx) => {
    await lockUser(tx, userId);
    // Two statements: the index that allows one default is checked row by row.
    await tx`update memberships set is_default = false
      where user_id = ${userId} and is_default and organization_id <> ${organizationId}`;
    const [member] = await tx<{ id: string; role: string; active: boolean }[]>`
      update memberships m set is_default = true
      from organizations o
      where m.user_id = ${userId} and m.organization_id = ${organizationId} and o.id = m.organization_id
      returning m.id, m.role, o.active`;
    if (member === undefined) throw notFound('Organization');
    requireActive(member);
    await record(tx, principal, deps.now(), {
      organizationId,
      role: member.role,
      action: 'update',
      resourceType: 'member',
      resourceId: member.id,
      after: { isDefault: true },
    });
  });
}

/** Makes an organization the one meant where this session, or this key, names none. */
export function setActive(deps: Deps, { principal, organizationId }: OrganizationActor): Promise<void> {
  const { sessionId, key, userId } = principal;
  return deps.db.transaction(async (tx) => {
    // The membership is held: whoever ends it looks for this choice afterwards.
    const [member] = await tx<{ role: string; active: boolean }[]>`
      select m.role, o.active from memberships m join organizations o on o.id = m.organization_id
      where m.user_id = ${userId} and m.organization_id = ${organizationId} for key share of m`;
    if (member === undefined) throw notFound('Organization');
    requireActive(member);
    if (key !== null) {
      await tx`update api_keys set active_organization_id = ${organizationId} where id = ${key.id} and scope = 'user'`;
    } else if (sessionId !== null) {
      await tx`update sessions set active_organization_id = ${organizationId} where id = ${sessionId}`;
    }
    await record(tx, principal, deps.now(), {
      organizationId,
      role: member.role,
      action: 'update',
      resourceType: key === null ? 'session' : 'apiKey',
      resourceId: key?.id ?? sessionId ?? principal.userId,
      after: { activeOrganizationId: organizationId },
    });
  });
}
