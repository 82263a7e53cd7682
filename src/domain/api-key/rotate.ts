import { notFound, preconditionFailed } from '../../kernel/errors.ts';
import { hashSecret, newSecret } from '../../kernel/secrets.ts';
import { record } from '../audit/index.ts';
import type { Deps } from '../deps.ts';
import type { Principal } from '../principal.ts';
import { lockUser } from '../user-lock.ts';
import type { CreatedApiKey } from './create.ts';
import { type ApiKey, shown } from './list.ts';
import { requireMint, shownStart } from './mint.ts';

/**
 * Gives a key of the caller another secret; id, limits, counters and permissions stay. The secret before is accepted
 * for `overlapSeconds` more, the one before that ends at once. The answer is the only place where the key appears.
 *
 * @throws NOT_FOUND for an id that is not the caller's; FORBIDDEN with a limited key; PRECONDITION_FAILED for a key that
 *   has expired
 */
export function rotateApiKey(
  deps: Deps,
  principal: Principal,
  apiKeyId: string,
  overlapSeconds: number,
): Promise<CreatedApiKey> {
  return deps.db.transaction(async (tx) => {
    await lockUser(tx, principal.userId);
    await requireMint(tx, principal);
    const [old] = await tx<Pick<ApiKey, 'prefix' | 'expiresAt'>[]>`
      select prefix, expires_at from api_keys
      where id = ${apiKeyId} and user_id = ${principal.userId} for no key update`;
    if (old === undefined) throw notFound('API key');
    const now = deps.now();
    if (old.expiresAt !== null && old.expiresAt <= now) {
      throw preconditionFailed('api_key_expired', 'This API key has expired. Create another one.');
    }

    const prefix = old.prefix ?? '';
    const key = `${prefix}${newSecret()}`;
    // An organization that the holder has left keeps no trail of him.
    const [row] = await tx<(ApiKey & { trail: string | null })[]>`
      update api_keys k set
        previous_key_hash = key_hash,
        previous_key_expires_at = ${new Date(now.getTime() + overlapSeconds * 1000)},
        key_hash = ${hashSecret(key)},
        start = ${shownStart(key, prefix)}
      where id = ${apiKeyId}
      returning ${shown(tx)}, (
        select m.organization_id from memberships m
        where m.user_id = k.user_id and m.organization_id = coalesce(k.organization_id, k.active_organization_id)
      ) as trail`;
    if (row === undefined) throw notFound('API key');
    const { trail, ...described } = row;
    await record(tx, principal, now, {
      organizationId: trail,
      action: 'rotate',
      resourceType: 'apiKey',
      resourceId: described.id,
      resourceName: described.name,
      after: { name: described.name, previousKeyExpiresAt: described.previousKeyExpiresAt },
    });
    return { ...described, key };
  });
}
