import { badRequest, forbidden, notFound, preconditionFailed } from '../../kernel/errors.ts';
import { newId } from '../../kernel/ids.ts';
import { can, type Permission, type Role, roleOf } from '../../kernel/permissions.ts';
import { hashSecret, newSecret } from '../../kernel/secrets.ts';
import { record } from '../audit/index.ts';
import type { Deps } from '../deps.ts';
import { customPermissions, requireActive } from '../organization/index.ts';
import type { Principal } from '../principal.ts';
import { lockUser } from '../user-lock.ts';
import type { ApiKey } from './list.ts';
import { requireMint, shownStart } from './mint.ts';

const MAX_KEYS_PER_USER = 100;
const DEFAULT_PREFIX = 'tenantry_';

export type NewApiKey = {
  name: string;
  /** `organization`: bound to `organizationId`. `user`: acts on all organizations of the caller, that one being active. */
  scope: ApiKey['scope'];
  organizationId: string;
  prefix?: string | undefined;
  /** Seconds from now; never expires when left out. */
  expiresIn?: number | undefined;
  permissions?: Permission[] | undefined;
  /** Canonical addresses and ranges (kernel/networks.ts); anywhere when left out. */
  allowedIps?: string[] | undefined;
  rateLimit?: { max: number; timeWindow: number } | undefined;
  remaining?: number | undefined;
  refill?: { amount: number; interval: number } | undefined;
};

export type CreatedApiKey = ApiKey & { key: string };

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
    const [member] = await tx<{ role: Role; custom: Permission[] | null; active: boolean }[]>`
      select m.role, ${customPermissions(tx)} as custom, o.active from memberships m join organizations o on o.id = m.organization_id
      where m.user_id = ${principal.userId} and m.organization_id = ${input.organizationId} for key share of m`;
    if (member === undefined) throw notFound('Organization');
    requireActive(member);
    const grant = roleOf(member.role, member.custom);
    const lacking = input.permissions?.find((permission) => !can(grant, permission));
    if (lacking !== undefined) throw forbidden('permission_missing', `You lack the permission ${lacking}.`);
    const [count] = await tx<{ keys: number }[]>`
      select count(*) as keys from api_keys where user_id = ${principal.userId}`;
    if (count !== undefined && count.keys >= MAX_KEYS_PER_USER) {
      throw preconditionFailed('too_many_api_keys', `An account has at most ${MAX_KEYS_PER_USER} API keys.`);
    }

    const now = deps.now();
    const prefix = input.prefix ?? DEFAULT_PREFIX;
    const key = `${prefix}${newSecret()}`;
    const row: ApiKey = {
      id: newId(),
      userId: principal.userId,
      name: input.name,
      prefix,
      start: shownStart(key, prefix),
      scope: input.scope,
      organizationId: input.scope === 'organization' ? input.organizationId : null,
      activeOrganizationId: input.scope === 'user' ? input.organizationId : null,
      permissions: input.permissions ?? null,
      allowedIps: input.allowedIps ?? null,
      previousKeyExpiresAt: null,
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
      allowedIps: row.allowedIps === null ? null : tx.json(row.allowedIps),
      keyHash: hashSecret(key),
    })}`;
    await record(tx, principal, now, {
      organizationId: input.organizationId,
      role: member.role,
      action: 'create',
      resourceType: 'apiKey',
      resourceId: row.id,
      resourceName: row.name,
      after: {
        name: row.name,
        scope: row.scope,
        permissions: row.permissions,
        allowedIps: row.allowedIps,
        expiresAt: row.expiresAt,
      },
    });
    return { ...row, key };
  });
}
