import type { Database } from '../db/client.ts';
import { customPermissionsOf } from '../domain/organization/index.ts';
import { canBeOfUser, OWNED, type Place, type Prospect } from '../domain/place.ts';
import type { ActiveMembership, Origin, PlaceOfCall, Principal } from '../domain/principal.ts';
import { type StoredSettings, withDefaults } from '../domain/settings/index.ts';
import { forbidden, unauthorized } from '../kernel/errors.ts';
import { isWithinNetworks } from '../kernel/networks.ts';
import { type Permission, type PlatformRole, type Role, roleOf } from '../kernel/permissions.ts';
import { hashSecret } from '../kernel/secrets.ts';
import { createShared } from '../kernel/shared.ts';
import { chargeKey } from './key-limits.ts';
import type { Usage } from './usage.ts';

type UserColumns = {
  userId: string;
  email: string;
  emailVerified: boolean;
  platformRole: PlatformRole;
  suspended: boolean;
};
type MemberColumns = {
  organizationId: string | null;
  memberId: string | null;
  memberRole: Role | null;
  /** Of a custom role. */
  rolePermissions: Permission[] | null;
};

type ProspectColumns = {
  placeOrganizationId?: string | null;
  placeMemberId?: string | null;
  placeRole?: Role | null;
  placePermissions?: Permission[] | null;
  isOwn?: boolean | null;
  storedSettings?: StoredSettings | null;
};

type CallerColumns = UserColumns & MemberColumns & ProspectColumns;
type SessionRow = CallerColumns & { sessionId: string; lastSeenAt: Date | null };
type KeyRow = CallerColumns & {
  keyId: string;
  boundTo: string | null;
  permissions: Permission[] | null;
  expiresAt: Date | null;
  lastUsedAt: Date | null;
  limited: boolean;
  allowedIps: string[] | null;
  /** Until when the secret is accepted, where it is the one that was rotated away. */
  outgoingUntil: Date | null;
};

/** A call whose caller is to be found. */
export type Call = { now: Date; origin: Origin; prospect: Prospect };

const membershipOf = (row: MemberColumns): ActiveMembership | null =>
  row.organizationId === null || row.memberId === null || row.memberRole === null
    ? null
    : {
        organizationId: row.organizationId,
        memberId: row.memberId,
        role: row.memberRole,
        grant: roleOf(row.memberRole, row.rolePermissions),
      };

function placeOfCall(place: Place, row: ProspectColumns): PlaceOfCall {
  const { placeOrganizationId = null, placeMemberId = null, placeRole = null, placePermissions = null } = row;
  const membership = membershipOf({
    organizationId: placeOrganizationId,
    memberId: placeMemberId,
    memberRole: placeRole,
    rolePermissions: placePermissions,
  });
  return { ...place, membership, isOwn: row.isOwn ?? false };
}

const principalOf = (row: CallerColumns, { origin, prospect: { place, settings } }: Call) => ({
  ipAddress: origin.ipAddress,
  userAgent: origin.userAgent,
  requestId: origin.requestId,
  userId: row.userId,
  email: row.email,
  emailVerified: row.emailVerified,
  platformRole: row.platformRole,
  active: membershipOf(row),
  place: place === null ? null : placeOfCall(place, row),
  settings: settings ? withDefaults(row.storedSettings ?? undefined) : null,
});

/**
 * What the call is going to ask, as text in a statement with `users u`: columns, and joins as `t` and `p`. `id` stands
 * for the parameter that names the place.
 */
function prospectIn({ place, settings }: Prospect, id: `$${number}`) {
  const ofSettings = settings ? ', (select value from settings) as stored_settings' : '';
  if (place === null) return { columns: ofSettings, joins: '' };
  const { table, organizationId, isOwn } =
    place.kind === 'organization'
      ? { table: '', organizationId: id, isOwn: '' }
      : {
          table: `left join ${OWNED[place.kind].table} t on t.id = ${id}`,
          organizationId: 't.organization_id',
          isOwn: canBeOfUser(place.kind) ? ', t.user_id = u.id as is_own' : '',
        };
  return {
    columns: `, p.organization_id as place_organization_id, p.id as place_member_id, p.role as place_role,
      ${customPermissionsOf('p')} as place_permissions ${isOwn} ${ofSettings}`,
    joins: `${table} left join memberships p on p.user_id = u.id and p.organization_id = ${organizationId}`,
  };
}

/** The text of a statement for each kind of prospect, put together once. */
function textFor(compose: (prospect: Prospect) => string): (prospect: Prospect) => string {
  const texts = new Map<string, string>();
  return (prospect) => {
    const key = `${prospect.place?.kind} ${prospect.settings}`;
    const text = texts.get(key) ?? compose(prospect);
    texts.set(key, text);
    return text;
  };
}

/** Sends the statement for a prospect, once for all who ask the same of the same credential at the same time. */
function rowReader<Row>(db: Database, textOf: (prospect: Prospect) => string) {
  const share = createShared<Row | undefined>();
  return (credential: string, { place, settings }: Prospect, parameters: (string | Date)[]) =>
    share(`${credential} ${place?.kind} ${place?.id} ${settings}`, async (begin) => {
      const all = place === null ? parameters : [...parameters, place.id];
      const [row] = await db.query((sql) => {
        begin(); // there is a connection, and the statement goes out
        return sql.unsafe<Row[]>(textOf({ place, settings }), all, { prepare: true });
      });
      return row;
    });
}

function refuseSuspended({ suspended }: UserColumns): void {
  if (suspended) throw unauthorized('account_suspended', 'This account is suspended.');
}

/** `users u` and the active membership `m`, as columns of both statements. */
const CALLER = `u.id as user_id, u.email, u.email_verified, u.role as platform_role,
  u.suspended_at is not null as suspended, m.organization_id, m.id as member_id, m.role as member_role,
  ${customPermissionsOf('m')} as role_permissions`;

/**
 * The user and the active membership of what was sent, a session or a key: the one that it chose, the default one, or
 * where that is gone with its organization the oldest, of an active organization if there is any. `condition` says which
 * may be active.
 */
const callerOf = (sent: 's' | 'k', condition = 'true') => `
  join users u on u.id = ${sent}.user_id
  left join lateral (
    select m.id, m.organization_id, m.role, m.custom_role
    from memberships m join organizations o on o.id = m.organization_id
    where m.user_id = ${sent}.user_id and ${condition}
    order by (m.organization_id = ${sent}.active_organization_id) is true desc, m.is_default desc, o.active desc,
      m.organization_id
    limit 1) m on true`;

const sessionText = textFor((prospect) => {
  const { columns, joins } = prospectIn(prospect, '$3');
  return `
    select s.id as session_id, s.last_seen_at, ${CALLER} ${columns}
    from sessions s ${callerOf('s')} ${joins}
    where s.token = $1 and s.expires_at > $2`;
});

/**
 * Finds who holds a session token; null when it is unknown or over. One statement, with what the call is going to ask.
 * Throws UNAUTHORIZED for an account that is suspended.
 */
export function sessionReader(db: Database, usage: Usage) {
  const readRow = rowReader<SessionRow>(db, sessionText);
  return async (token: string, call: Call): Promise<Principal | null> => {
    const row = await readRow(token, call.prospect, [token, call.now]);
    if (row === undefined) return null;
    refuseSuspended(row);
    usage.seen(row.sessionId, row.lastSeenAt, call.now);
    return { ...principalOf(row, call), sessionId: row.sessionId, key: null };
  };
}

const keyText = textFor((prospect) => {
  const { columns, joins } = prospectIn(prospect, '$2');
  return `
    select k.id as key_id, k.organization_id as bound_to, k.permissions, k.expires_at, k.last_used_at,
      (k.rate_limit_max is not null or k.remaining is not null) as limited, k.allowed_ips,
      case when k.key_hash <> $1 then k.previous_key_expires_at end as outgoing_until, ${CALLER} ${columns}
    from api_keys k
      ${callerOf('k', '(k.organization_id is null or m.organization_id = k.organization_id)')} ${joins}
    where k.key_hash = $1 or k.previous_key_hash = $1`;
});

/**
 * Finds who holds an API key: by its secret, or for a while by the one that was rotated away. One statement, and a second
 * for a key with a limit of its own, which a refusal for any other reason does not count against. Throws UNAUTHORIZED
 * saying what is wrong with the key or the account; FORBIDDEN from an address that the key is not for; TOO_MANY_REQUESTS
 * at its rate limit.
 */
export function keyReader(db: Database, usage: Usage) {
  const readRow = rowReader<KeyRow>(db, keyText);
  return async (key: string, call: Call): Promise<Principal> => {
    const { now, origin, prospect } = call;
    const hash = hashSecret(key);
    const row = await readRow(hash, prospect, [hash]);
    if (row === undefined) throw unauthorized('api_key_invalid', 'This API key is unknown or was revoked.');
    refuseSuspended(row);
    if (row.outgoingUntil !== null && row.outgoingUntil <= now) {
      throw unauthorized('api_key_rotated', 'This API key was replaced by a new one.');
    }
    if (row.expiresAt !== null && row.expiresAt <= now) {
      throw unauthorized('api_key_expired', 'This API key has expired.');
    }
    if (row.allowedIps !== null && !isWithinNetworks(origin.ipAddress ?? '', row.allowedIps)) {
      throw forbidden('api_key_address', 'This API key cannot be used from this address.');
    }
    if (row.limited) await chargeKey(db, row.keyId, now);
    usage.seen(row.keyId, row.lastUsedAt, now);
    return {
      ...principalOf(row, call),
      sessionId: null,
      key: {
        id: row.keyId,
        organizationId: row.boundTo,
        permissions: row.permissions,
        outgoing: row.outgoingUntil !== null,
      },
    };
  };
}
