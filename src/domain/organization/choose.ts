import { notFound } from '../../kernel/errors.ts';
import { record } from '../audit/index.ts';
import type { Deps } from '../deps.ts';
import type { OrganizationActor } from '../principal.ts';
import { lockUser } from '../user-lock.ts';

/** Makes an organization the one that new sessions start in. */
export function setDefault(deps: Deps, { principal, organizationId }: OrganizationActor): Promise<void> {
  const { userId } = principal;
  return deps.db.transaction(async (tx) => {
    await lockUser(tx, userId);
    // Two statements: the index that allows one default is checked row by row.
    await tx`update memberships set is_default = false
      where user_id = ${userId} and is_default and organization_id <> ${organizationId}`;
    const [member] = await tx<{ id: string; role: string }[]>`
      update memberships set is_default = true
      where user_id = ${userId} and organization_id = ${organizationId} returning id, role`;
    if (member === undefined) throw notFound('Organization');
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
export function setActive(deps: Deps, { principal, organizationId, role }: OrganizationActor): Promise<void> {
  const { sessionId, key } = principal;
  return deps.db.transaction(async (tx) => {
    if (key !== null) {
      await tx`update api_keys set active_organization_id = ${organizationId} where id = ${key.id} and scope = 'user'`;
    } else if (sessionId !== null) {
      await tx`update sessions set active_organization_id = ${organizationId} where id = ${sessionId}`;
    }
    await record(tx, principal, deps.now(), {
      organizationId,
      role,
      action: 'update',
      resourceType: key === null ? 'session' : 'apiKey',
      resourceId: key?.id ?? sessionId ?? principal.userId,
      after: { activeOrganizationId: organizationId },
    });
  });
}
