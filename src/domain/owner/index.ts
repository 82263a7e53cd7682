import type { Transaction } from '../../db/client.ts';
import { raiseWall } from '../../db/wall.ts';
import { forbidden } from '../../kernel/errors.ts';
import type { Permission } from '../../kernel/permissions.ts';
import { type AuditEvent, record } from '../audit/index.ts';
import type { Deps } from '../deps.ts';
import { inOrganization, placeOf, requireActor, requireActorOf } from '../organization/index.ts';
import { type OfUserKind, OWNED } from '../place.ts';
import { isLimited, type OrganizationActor, type Principal } from '../principal.ts';
import { lockUser } from '../user-lock.ts';

/** For whom the caller acts: for an organization with a permission there, or for himself. */
export type Owner = { principal: Principal; actor: OrganizationActor | null };

/** The two columns, of which one is set. */
export const ownerColumns = ({ principal, actor }: Owner) => ({
  userId: actor === null ? principal.userId : null,
  organizationId: actor?.organizationId ?? null,
});

/** The caller himself. @throws FORBIDDEN for an API key that is limited. */
function requireSelf(principal: Principal): Owner {
  if (isLimited(principal.key)) {
    throw forbidden('key_is_limited', 'This API key is limited to its organization or permissions.');
  }
  return { principal, actor: null };
}

/**
 * The caller himself, or an organization where he has this permission, the active one where none is named.
 *
 * @throws FORBIDDEN for himself by an API key that is limited; of an organization as `requireActor` does.
 */
export const requireOwner = async (
  deps: Deps,
  principal: Principal,
  { scope, organizationId }: { scope: 'organization' | 'user'; organizationId?: string | undefined },
  permission: Permission,
): Promise<Owner> =>
  scope === 'user'
    ? requireSelf(principal)
    : { principal, actor: await requireActor(deps, principal, organizationId, permission) };

/** Whose something new is to be: the caller's where no organization is named. @throws as `requireOwner` does. */
export const requireNewOwner = (
  deps: Deps,
  principal: Principal,
  organizationId: string | undefined,
  permission: Permission,
): Promise<Owner> =>
  requireOwner(
    deps,
    principal,
    { scope: organizationId === undefined ? 'user' : 'organization', organizationId },
    permission,
  );

async function isTheirs(deps: Deps, { userId }: Principal, kind: OfUserKind, id: string): Promise<boolean> {
  const rows = await deps.db.query(
    (sql) => sql`select 1 from ${sql(OWNED[kind].table)} where id = ${id} and user_id = ${userId}`,
  );
  return rows.length > 0;
}

/**
 * The owner of one of these: the caller, or an organization where he has this permission. Limited API keys see nothing
 * that a user owns.
 *
 * @throws NOT_FOUND alike for an id that does not exist and for somebody else's; FORBIDDEN for members of its
 *   organization who lack the permission
 */
export async function requireOwnerOf(
  deps: Deps,
  principal: Principal,
  kind: OfUserKind,
  id: string,
  permission: Permission,
): Promise<Owner> {
  if (!isLimited(principal.key)) {
    const isOwn = placeOf(principal, { kind, id })?.isOwn ?? (await isTheirs(deps, principal, kind, id));
    if (isOwn) return { principal, actor: null };
  }
  return { principal, actor: await requireActorOf(deps, principal, kind, id, permission) };
}

/** What is written into the audit trail besides whose it is. */
type OwnedEvent = Omit<AuditEvent, 'organizationId' | 'role' | 'resourceType'>;

/**
 * Runs a change in a transaction that holds the owner's row, within the owner's wall; `log` writes its audit row about
 * `resourceType`.
 */
export function inOwner<T>(
  deps: Deps,
  owner: Owner,
  resourceType: OfUserKind,
  change: (tx: Transaction, log: (event: OwnedEvent) => Promise<void>) => Promise<T>,
): Promise<T> {
  const { principal, actor } = owner;
  const log = (tx: Transaction, whose: Pick<AuditEvent, 'organizationId' | 'role'>) => (event: OwnedEvent) =>
    record(tx, principal, deps.now(), { ...whose, resourceType, ...event });
  if (actor !== null) {
    return inOrganization(deps, actor, (tx, { id }, { role }) =>
      change(tx, log(tx, { organizationId: id, role })),
    );
  }
  return deps.db.transaction(async (tx) => {
    await Promise.all([lockUser(tx, principal.userId), raiseWall(tx, principal.userId)]);
    return change(tx, log(tx, { organizationId: null }));
  });
}
