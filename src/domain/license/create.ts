import { newId } from '../../kernel/ids.ts';
import { hashSecret } from '../../kernel/secrets.ts';
import type { Tier } from '../../kernel/tiers.ts';
import { record } from '../audit/index.ts';
import type { Deps } from '../deps.ts';
import type { Principal } from '../principal.ts';
import { keyOf, type License, type LicenseRow, summaryOf, toLicense } from './row.ts';

export type NewLicense = { plan: Tier; expiresAt: Date | null; active: boolean };

/** A license that serves nobody yet, with its key. */
export function createLicense(
  deps: Deps,
  principal: Principal,
  input: NewLicense,
): Promise<License & { key: string }> {
  return deps.db.transaction(async (tx) => {
    const [id, now] = [newId(), deps.now()];
    const key = keyOf(deps.rules.secret, id);
    const row: LicenseRow = { id, ...input, organizationId: null, createdAt: now, updatedAt: now };
    await tx`insert into licenses ${tx({ ...row, keyHash: hashSecret(key) })}`;
    await record(tx, principal, now, {
      organizationId: null,
      role: principal.platformRole,
      action: 'create',
      resourceType: 'license',
      resourceId: id,
      after: summaryOf(row),
    });
    return { ...toLicense(row, now), key };
  });
}
