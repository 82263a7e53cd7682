import type { memberships, organizations } from '../../db/schema/index.ts';
import type { Role } from '../../kernel/permissions.ts';
import { TIERS, type Tier } from '../../kernel/tiers.ts';

export type OrganizationRow = Omit<typeof organizations.$inferSelect, 'ownerRole'>;
export type OwnMembership = typeof memberships.$inferSelect;

/** An organization as its member sees it. `maxServers: null` is no limit. */
export type Organization = OrganizationRow & { role: Role; portalTier: Tier; maxServers: number | null };

/** An organization without a license is on the free plan. */
export const toOrganization = (row: OrganizationRow, role: Role): Organization => ({
  ...row,
  role,
  portalTier: 'free',
  maxServers: TIERS.free.maxServers,
});
