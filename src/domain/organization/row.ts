import type { memberships, organizations } from '../../db/schema/index.ts';
import type { Role } from '../../kernel/permissions.ts';
import { TIERS, type Tier } from '../../kernel/tiers.ts';
import { avatarUrl } from '../avatar/index.ts';
import type { Rules } from '../deps.ts';

export type OrganizationRow = Omit<typeof organizations.$inferSelect, 'ownerRole' | 'customDefaultRole'>;
export type OwnMembership = Omit<typeof memberships.$inferSelect, 'customRole'>;

/** An organization as its member sees it. `maxServers: null` is no limit. */
export type Organization = Omit<OrganizationRow, 'avatarHash'> & {
  avatarUrl: string | null;
  role: Role;
  portalTier: Tier;
  maxServers: number | null;
};

/** An organization as one of this role sees it. `plan` is that of its license in force, null without one. */
export const toOrganization = (
  rules: Rules,
  row: OrganizationRow,
  role: Role,
  plan: Tier | null,
): Organization => ({
  id: row.id,
  name: row.name,
  slug: row.slug,
  handle: row.handle,
  logo: row.logo,
  avatarUrl: avatarUrl(rules, row.avatarHash),
  description: row.description,
  metadata: row.metadata,
  active: row.active,
  defaultRole: row.defaultRole,
  ownerId: row.ownerId,
  createdAt: row.createdAt,
  updatedAt: row.updatedAt,
  role,
  portalTier: plan ?? 'free',
  maxServers: TIERS[plan ?? 'free'].maxServers,
});
