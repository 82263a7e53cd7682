import { NIL } from 'uuid';
import { notFound } from '../../kernel/errors.ts';
import { hashSecret } from '../../kernel/secrets.ts';
import type { Tier } from '../../kernel/tiers.ts';
import type { Deps } from '../deps.ts';
import type { OrganizationActor } from '../principal.ts';
import { type License, type LicenseRow, shown, shownKey, toLicense } from './row.ts';

export type LicenseFilter = { plan: Tier | null; organizationId: string | null };

/** Every license of the installation, oldest first. */
export async function listLicenses(
  deps: Deps,
  filter: LicenseFilter,
  page: { limit: number; cursor: string | null },
): Promise<License[]> {
  const rows = await deps.db.query(
    (sql) => sql<LicenseRow[]>`
      select ${shown(sql)} from licenses
      where (${filter.plan}::text is null or plan = ${filter.plan})
        and (${filter.organizationId}::uuid is null or organization_id = ${filter.organizationId})
        and id > ${page.cursor ?? NIL}
      order by id
      limit ${page.limit}`,
  );
  return rows.map((row) => toLicense(row, deps.now()));
}

/** With its key. @throws NOT_FOUND */
export async function oneLicense(deps: Deps, id: string): Promise<License & { key: string | null }> {
  const [row] = await deps.db.query(
    (sql) => sql<(LicenseRow & { keyHash: string })[]>`
      select ${shown(sql)}, key_hash from licenses where id = ${id}`,
  );
  if (row === undefined) throw notFound('License');
  const { keyHash, ...license } = row;
  return { ...toLicense(license, deps.now()), key: shownKey(deps.rules.secret, { id, keyHash }) };
}

/** The license that serves an organization, in force or not; null without one. */
export async function organizationLicense(deps: Deps, actor: OrganizationActor): Promise<License | null> {
  const [row] = await deps.db.query(
    (sql) => sql<LicenseRow[]>`
      select ${shown(sql)} from licenses where organization_id = ${actor.organizationId}`,
  );
  return row === undefined ? null : toLicense(row, deps.now());
}

/** Why a key does not stand for a license in force. */
export const LICENSE_FAULTS = ['unknown', 'inactive', 'expired'] as const;
export type Verdict = {
  valid: boolean;
  reason: (typeof LICENSE_FAULTS)[number] | null;
  plan: Tier | null;
  expiresAt: Date | null;
};

/** What a license key is worth at this moment. */
export async function validateLicense(deps: Deps, key: string): Promise<Verdict> {
  const [row] = await deps.db.query(
    (sql) => sql<LicenseRow[]>`select ${shown(sql)} from licenses where key_hash = ${hashSecret(key)}`,
  );
  if (row === undefined) return { valid: false, reason: 'unknown', plan: null, expiresAt: null };
  const { valid, active, plan, expiresAt } = toLicense(row, deps.now());
  return { valid, reason: valid ? null : active ? 'expired' : 'inactive', plan, expiresAt };
}
