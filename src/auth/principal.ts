import type { Database } from '../db/client.ts';
import type { ActiveMembership, Origin, Principal } from '../domain/principal.ts';
import { unauthorized } from '../kernel/errors.ts';
import type { Permission, PlatformRole, Role } from '../kernel/permissions.ts';
import { hashSecret } from '../kernel/secrets.ts';
import { chargeKey } from './key-limits.ts';
import type { KeyUsage } from './key-usage.ts';

type UserColumns = { userId: string; email: string; emailVerified: boolean; platformRole: PlatformRole };
type MemberColumns = {
  organizationId: string | null;
  memberId: string | null;
  memberRole: Role | null;
};

const activeOf = (row: MemberColumns): ActiveMembership | null =>
  row.organizationId === null || row.memberId === null || row.memberRole === null
    ? null
    : {
        organizationId: row.organizationId,
        memberId: row.memberId,
        role: row.memberRole,
      };

const principalOf = (origin: Origin, row: UserColumns & MemberColumns) => ({
  ...origin,
  userId: row.userId,
  email: row.email,
  emailVerified: row.emailVerified,
  platformRole: row.platformRole,
  active: activeOf(row),
});

/** Who holds a session token; null when it is unknown or over. One statement. */
export async function principalOfSession(
  db: Database,
  token: string,
  now: Date,
  origin: Origin,
): Promise<Principal | null> {
  type Row = UserColumns & MemberColumns & { sessionId: string };
  const [row] = await db.query(
    (sql) => sql<Row[]>`
      select s.id as session_id, u.id as user_id, u.email, u.email_verified, u.role as platform_role,
        m.organization_id, m.id as member_id, m.role as member_role
      from sessions s
      join users u on u.id = s.user_id
      left join lateral (
        select m.id, m.organization_id, m.role
        from memberships m
        where m.user_id = s.user_id
        order by (m.organization_id = s.active_organization_id) is true desc, m.is_default desc, m.organization_id
        limit 1) m on true
      where s.token = ${token} and s.expires_at > ${now}`,
  );
  return row === undefined ? null : { ...principalOf(origin, row), sessionId: row.sessionId, key: null };
}

/**
 * Who holds an API key. One statement, and a second for a key with a limit of its own.
 *
 * @throws UNAUTHORIZED saying what is wrong with the key; TOO_MANY_REQUESTS at its rate limit.
 */
export async function principalOfKey(
  db: Database,
  usage: KeyUsage,
  key: string,
  now: Date,
  origin: Origin,
): Promise<Principal> {
  type Row = UserColumns &
    MemberColumns & {
      keyId: string;
      boundTo: string | null;
      permissions: Permission[] | null;
      expiresAt: Date | null;
      lastUsedAt: Date | null;
      limited: boolean;
    };
  const [row] = await db.query(
    (sql) => sql<Row[]>`
      select k.id as key_id, k.organization_id as bound_to, k.permissions, k.expires_at, k.last_used_at,
        (k.rate_limit_max is not null or k.remaining is not null) as limited,
        u.id as user_id, u.email, u.email_verified, u.role as platform_role,
        m.organization_id, m.id as member_id, m.role as member_role
      from api_keys k
      join users u on u.id = k.user_id
      left join lateral (
        select m.id, m.organization_id, m.role
        from memberships m
        where m.user_id = k.user_id and (k.organization_id is null or m.organization_id = k.organization_id)
        order by (m.organization_id = k.active_organization_id) is true desc, m.is_default desc, m.organization_id
        limit 1) m on true
      where k.key_hash = ${hashSecret(key)}`,
  );
  if (row === undefined) throw unauthorized('api_key_invalid', 'This API key is unknown or was revoked.');
  if (row.expiresAt !== null && row.expiresAt <= now) {
    throw unauthorized('api_key_expired', 'This API key has expired.');
  }
  if (row.limited) await chargeKey(db, row.keyId, now);
  usage.seen(row.keyId, row.lastUsedAt, now);
  return {
    ...principalOf(origin, row),
    sessionId: null,
    key: { id: row.keyId, organizationId: row.boundTo, permissions: row.permissions },
  };
}
