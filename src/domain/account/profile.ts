import type { Sql } from '../../db/client.ts';
import type { users } from '../../db/schema/index.ts';
import { ageOn, isChild } from '../../kernel/ages.ts';
import { canOnPlatform } from '../../kernel/permissions.ts';
import { bestTier, TIERS, type Tier } from '../../kernel/tiers.ts';
import { avatarUrl } from '../avatar/index.ts';
import type { Deps } from '../deps.ts';
import { type StoredSettings, withDefaults } from '../settings/index.ts';
import { ownedPlansColumn } from '../tier/index.ts';

type UserRow = typeof users.$inferSelect;

/** What everybody sees who may see the account. */
export type Profile = Pick<
  UserRow,
  | 'id'
  | 'email'
  | 'emailVerified'
  | 'name'
  | 'firstName'
  | 'lastName'
  | 'displayName'
  | 'image'
  | 'role'
  | 'createdAt'
  | 'updatedAt'
> & { avatarUrl: string | null; suspended: boolean };

/** What only its holder and platform staff see. Ages are full years; without a date of birth there is none. */
export type PrivateProfile = Pick<
  UserRow,
  | 'dateOfBirth'
  | 'billingLine1'
  | 'billingCity'
  | 'billingState'
  | 'billingZip'
  | 'billingCountry'
  | 'settings'
  | 'twoFactorEnabled'
> & {
  /** The address that the account will have once its link is opened. */
  pendingEmail: string | null;
  identityVerified: boolean;
  age: number | null;
  isChildAccount: boolean;
  /** The best one of the organizations that it owns. */
  portalTier: Tier;
  /** `null` is no limit. */
  limits: { maxOrganizations: number | null; maxServers: number | null };
};

export type Account = Profile & PrivateProfile;

export type ProfileRow = UserRow & {
  pendingEmail: string | null;
  storedSettings: StoredSettings | null;
  ownedPlans: Tier[] | null;
};

/** The columns of `users u` that a profile is made of, and the rules of ages, in one statement. */
export const profileColumns = (sql: Sql, now: Date) => sql`
  u.*, (select value from settings) as stored_settings, ${ownedPlansColumn(sql, now)} as owned_plans,
  (select t.email from email_tokens t where t.user_id = u.id and t.purpose = 'change' and t.expires_at > ${now})
    as pending_email`;

export function toProfile({ rules }: Deps, row: UserRow): Profile {
  const { id, email, emailVerified, name, firstName, lastName, displayName, image, role } = row;
  const { createdAt, updatedAt } = row;
  return {
    id,
    email,
    emailVerified,
    name,
    firstName,
    lastName,
    displayName,
    image,
    avatarUrl: avatarUrl(rules, row.avatarHash),
    role,
    createdAt,
    updatedAt,
    suspended: row.suspendedAt !== null,
  };
}

export function toAccount(deps: Deps, row: ProfileRow): Account {
  const { dateOfBirth, billingCountry, billingLine1, billingCity, billingState, billingZip } = row;
  const { settings, twoFactorEnabled, pendingEmail } = row;
  const now = deps.now();
  const portalTier = bestTier(row.ownedPlans ?? []);
  const person = { dateOfBirth, country: billingCountry };
  return {
    ...toProfile(deps, row),
    dateOfBirth,
    billingLine1,
    billingCity,
    billingState,
    billingZip,
    billingCountry,
    settings,
    twoFactorEnabled,
    pendingEmail,
    identityVerified: row.identityVerifiedAt !== null,
    age: dateOfBirth === null ? null : ageOn(dateOfBirth, now),
    isChildAccount: isChild(person, withDefaults(row.storedSettings ?? undefined), now),
    portalTier,
    limits: {
      maxOrganizations: canOnPlatform(row.role, 'organization.unlimited')
        ? null
        : deps.rules.maxOrganizationsPerUser,
      maxServers: TIERS[portalTier].maxServers,
    },
  };
}
