import { z } from 'zod';
import { Id } from '../../kernel/schemas.ts';
import { TIER_NAMES } from '../../kernel/tiers.ts';
import { isStorable, Moment } from '../schemas.ts';

const license = {
  id: Id,
  plan: z.enum(TIER_NAMES),
  expiresAt: Moment.nullable(),
  active: z.boolean(),
  valid: z.boolean().meta({ description: 'Whether it is in force: active, and not expired.' }),
  organizationId: Id.nullable().meta({ description: 'The organization that it serves.' }),
  createdAt: Moment,
  updatedAt: Moment,
};
export const License = z.object(license).meta({ id: 'License' });
const key = z.string().meta({ example: 'license_Xv0…' });
export const LicenseWithKey = z.object({ ...license, key }).meta({ id: 'LicenseWithKey' });
export const LicenseWithKnownKey = z
  .object({
    ...license,
    key: key.nullable().meta({ description: 'Null for one that was made before AUTH_SECRET changed.' }),
  })
  .meta({ id: 'LicenseWithKnownKey' });

export const LicenseRef = z.object({ licenseId: Id });
export const LicenseKey = z.string().min(1).max(128);
export const Plan = z.enum(TIER_NAMES);
/** A moment that the database and the wire write alike. */
export const Expiry = z.iso
  .datetime({ offset: true })
  .refine(isStorable, 'The year is to be between 1 and 9999.')
  .transform((text) => new Date(text))
  .meta({ description: 'ISO 8601.', example: '2027-12-31T00:00:00.000Z' });
