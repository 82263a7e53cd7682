import type { Transaction } from '../../db/client.ts';
import { beyondWall } from '../../db/wall.ts';
import { preconditionFailed } from '../../kernel/errors.ts';
import { labelFromName } from '../../kernel/handles.ts';
import { newId } from '../../kernel/ids.ts';
import { canOnPlatform, type PlatformRole } from '../../kernel/permissions.ts';
import { randomSuffix } from '../../kernel/secrets.ts';
import { type AuditActor, record } from '../audit/index.ts';
import type { Deps } from '../deps.ts';
import type { Principal } from '../principal.ts';
import { lockUser } from '../user-lock.ts';
import { addZone } from '../zone-sync/index.ts';
import { claimHandle, deriveHandle } from './handle.ts';
import { type Organization, type OrganizationRow, toOrganization } from './row.ts';

export type NewOrganization = {
  name: string;
  handle?: string | undefined;
  description?: string | null | undefined;
  logo?: string | null | undefined;
};

/** The organization with its owner's membership, its zone and its audit row. The caller holds the owner's row. */
export async function foundOrganization(
  tx: Transaction,
  deps: Deps,
  owner: AuditActor,
  input: NewOrganization,
): Promise<OrganizationRow> {
  const now = deps.now();
  const handle =
    input.handle === undefined
      ? await deriveHandle(tx, input.name, deps.rules)
      : await claimHandle(tx, input.handle, deps.rules);
  const organization: OrganizationRow = {
    id: newId(),
    name: input.name,
    slug: `${labelFromName(input.name)}-${randomSuffix(8)}`,
    handle,
    logo: input.logo ?? null,
    avatarHash: null,
    description: input.description ?? null,
    metadata: null,
    active: true,
    defaultRole: null,
    ownerId: owner.userId,
    createdAt: now,
    updatedAt: now,
  };
  // Sent one after another without waiting; what refers to the organization comes after it.
  await Promise.all([
    tx`insert into organizations ${tx(organization)}`.execute(),
    tx`
      insert into memberships (id, organization_id, user_id, role, is_default, created_at)
      select ${newId()}, ${organization.id}, ${owner.userId}, 'owner',
        not exists (select 1 from memberships where user_id = ${owner.userId}), ${now}`.execute(),
    addZone(tx, deps, organization.id, handle),
    record(tx, owner, now, {
      organizationId: organization.id,
      role: 'owner',
      action: 'create',
      resourceType: 'organization',
      resourceId: organization.id,
      resourceName: organization.name,
      after: {
        name: organization.name,
        handle,
        description: organization.description,
        logo: organization.logo,
      },
    }),
  ]);
  return organization;
}

/** The caller holds the user's row. @throws PRECONDITION_FAILED when the user owns as many organizations as one may. */
export async function requireRoom(
  tx: Transaction,
  deps: Deps,
  userId: string,
  role: PlatformRole,
): Promise<void> {
  if (canOnPlatform(role, 'organization.unlimited')) return;
  const max = deps.rules.maxOrganizationsPerUser;
  const [row] = await beyondWall(
    tx,
    () => tx<{ owned: number }[]>`
      select count(*) as owned from organizations where owner_id = ${userId}`,
  );
  if (row !== undefined && row.owned >= max) {
    throw preconditionFailed('too_many_organizations', `An account owns at most ${max} organizations.`);
  }
}

/** @throws PRECONDITION_FAILED at the limit of organizations, CONFLICT when the handle is taken. */
export function createOrganization(
  deps: Deps,
  principal: Principal,
  input: NewOrganization,
): Promise<Organization> {
  return deps.db.transaction(async (tx) => {
    await Promise.all([
      lockUser(tx, principal.userId),
      requireRoom(tx, deps, principal.userId, principal.platformRole),
    ]);
    return toOrganization(deps.rules, await foundOrganization(tx, deps, principal, input), 'owner', null);
  });
}
