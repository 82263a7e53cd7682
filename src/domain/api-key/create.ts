import type { Transaction } from '../../db/client.ts';
import { badRequest, forbidden, notFound, preconditionFailed, unauthorized } from '../../kernel/errors.ts';
import { newId } from '../../kernel/ids.ts';
import { can, type Permission, type Role } from '../../kernel/permissions.ts';
import { hashSecret, newSecret } from '../../kernel/secrets.ts';
import { record } from '../audit/index.ts';
import type { Deps } from '../deps.ts';
import { requireActive } from '../organization/index.ts';
import type { Principal } from '../principal.ts';
import { lockUser } from '../user-lock.ts';
import type { ApiKey } from './list.ts';

const MAX_KEYS_PER_USER = 100;
const DEFAULT_PREFIX = 'tenantry_';
const SHOWN_CHARACTERS = 6;

export type NewApiKey = {
  name: string;
  /** `organization`: bound to `organizationId`. `user`: acts on all organizations of the caller, that one being active. */
  scope: ApiKey['scope'];
  organizationId: string;
  prefix?: string | undefined;
  /** Seconds from now; never expires when left out. */
  expiresIn?: number | undefined;
  permissions?: Permission[] | undefined;
  rateLimit?: { max: number; timeWindow: number } | undefined;
  remaining?: number | undefined;
  refill?: { amount: number; interval: number } | undefined;
};

export type CreatedApiKey = ApiKey & { key: string };

/**
 * Keys never make wider keys: only an unlimited key of the whole user may make any. Holding its row, so that a key
 * being revoked leaves none behind.
 */
async function requireMint(tx: Transaction, { key }: Principal): Promise<void> {
  if (key === null) return;
  const [row] = await tx<{ limited: boolean }[]>`
    select scope <> 'user' or permissions is not null or expires_at is not null or rate_limit_max is not null
      or remaining is not null as limited
    from api_keys where id = ${key.id} for key share`;
  if (row === undefined) throw unauthorized('api_key_invalid', 'This API key is unknown or was revoked.');
  if (row.limited) {
    throw forbidden('key_is_limited', 'A limited API key cannot create keys. Use a session.');
  }
}

/**
 * Makes an API key. The answer is the only place where the key itself ever appears.
 *
 * @throws NOT_FOUND for an organization that the caller is no member of; FORBIDDEN for a permission that the caller
 *   lacks there, or with a limited key; PRECONDITION_FAILED at the limit of keys or in an inactive organization.
 */
export async function createApiKey(
  deps: Deps,
  principal: Principal,
  input: NewApiKey,
): Promise<CreatedApiKey> {
  if (input.refill !== undefined && input.remaining === undefined) {
    throw badRequest(
      'refillAmount',
      'refill_without_remaining',
      'A refill needs a number of remaining requests.',
    );
  }
  return deps.db.transaction(async (tx) => {
    await lockUser(tx, principal.userId);
    await requireMint(tx, principal);
    const [member] = await tx<{ role: Role; active: boolean }[]>`
      select m.role, o.active from memberships m join organizations o on o.id = m.organization_id
      where m.user_id = ${principal.userId} and m.organization_id = ${input.organizationId} for key share of m`;
    if (member === undefined) throw notFound('Organization');
    requireActive(member);
    const lacking = input.permissions?.find((permission) => !can(member.role, permission));
    if (lacking !== undefined) throw forbidden('permission_missing', `You lack the permission ${lacking}.`);
    const [count] = await tx<{ keys: number }[]>`
      select count(*) as keys from api_keys where user_id = ${principal.userId}`;
    if (count !== undefined && count.keys >= MAX_KEYS_PER_USER) {
      throw preconditionFailed('too_many_api_keys', `An account has at most ${MAX_KEYS_PER_USER} API keys.`);
    }

    const now = deps.now();
    const key = `${input.prefix ?? DEFAULT_PREFIX}${newSecret()}`;
    const row: ApiKey = {
      id: newId(),
      userId: principal.userId,
      name: input.name,
      prefix: input.prefix ?? DEFAULT_PREFIX,
      start: key.slice(0, (input.prefix ?? DEFAULT_PREFIX).length + SHOWN_CHARACTERS),
      scope: input.scope,
      organizationId: input.scope === 'organization' ? input.organizationId : null,
      activeOrganizationId: input.scope === 'user' ? input.organizationId : null,
      permissions: input.permissions ?? null,
      expiresAt: input.expiresIn === undefined ? null : new Date(now.getTime() + input.expiresIn * 1000),
      lastUsedAt: null,
      rateLimitMax: input.rateLimit?.max ?? null,
      rateLimitTimeWindow: input.rateLimit?.timeWindow ?? null,
      remaining: input.remaining ?? null,
      refillAmount: input.refill?.amount ?? null,
      refillInterval: input.refill?.interval ?? null,
      createdAt: now,
    };
    await tx`insert into api_keys ${tx({
      ...row,
      permissions: row.permissions === null ? null : tx.json(row.permissions),
      keyHash: hashSecret(key),
    })}`;
    await record(tx, principal, now, {
      organizationId: input.organizationId,
      role: member.role,
      action: 'create',
      resourceType: 'apiKey',
      resourceId: row.id,
      resourceName: row.name,
      after: { name: row.name, scope: row.scope, permissions: row.permissions, expiresAt: row.expiresAt },
    });
    return { ...row, key };
  });
}
