import { z } from 'zod';
import {
  createLicense,
  deleteLicense,
  LICENSE_FAULTS,
  LICENSE_FIELDS,
  listLicenses,
  oneLicense,
  updateLicense,
  validateLicense,
} from '../../domain/license/index.ts';
import { pageOf } from '../../kernel/pagination.ts';
import { Id } from '../../kernel/schemas.ts';
import { ListPage, Moment } from '../schemas.ts';
import { platformProcedure, publicProcedure, router } from '../trpc.ts';
import {
  Expiry,
  License,
  LicenseKey,
  LicenseRef,
  LicenseWithKey,
  LicenseWithKnownKey,
  Plan,
} from './schemas.ts';

const managed = platformProcedure('license.manage');

export const licenseRouter = router({
  create: managed
    .meta({
      summary: 'Make a license',
      description:
        'It serves nobody until organization.assignLicense. The key is for license.validate and deployment.report.',
    })
    .input(
      z.object({
        plan: Plan,
        expiresAt: Expiry.nullish().meta({ description: 'Never, when left out.' }),
        active: z.boolean().default(true),
      }),
    )
    .output(LicenseWithKey)
    .mutation(({ ctx, input: { plan, expiresAt = null, active } }) =>
      createLicense(ctx.deps, ctx.principal, { plan, expiresAt, active }),
    ),

  all: managed
    .meta({ summary: 'List the licenses, oldest first' })
    .input(
      ListPage.extend({
        plan: Plan.optional(),
        organizationId: Id.meta({ description: 'The one that serves this organization.' }).optional(),
      }).prefault({}),
    )
    .output(z.object({ items: z.array(License), nextCursor: Id.nullable() }))
    .query(({ ctx, input }) => {
      const { plan = null, organizationId = null } = input;
      return pageOf(input, (page) => listLicenses(ctx.deps, { plan, organizationId }, page));
    }),

  one: managed
    .meta({ summary: 'Read a license, with its key', version: LICENSE_FIELDS })
    .input(LicenseRef)
    .output(LicenseWithKnownKey)
    .query(({ ctx, input }) => oneLicense(ctx.deps, input.licenseId)),

  update: managed
    .meta({
      summary: 'Change a license',
      description:
        'Omitted keeps, null clears. The tier of its organization follows from the next call on: what the organization has beyond it stays, and nothing new comes.',
      version: LICENSE_FIELDS,
    })
    .input(
      LicenseRef.extend({
        plan: Plan.optional(),
        expiresAt: Expiry.nullish(),
        active: z.boolean().optional(),
      }),
    )
    .output(License)
    .mutation(({ ctx, input: { licenseId, ...changes } }) =>
      updateLicense(ctx.deps, ctx.principal, licenseId, changes, ctx.ifMatch),
    ),

  delete: managed
    .meta({
      summary: 'Delete a license',
      description:
        'Refused while it serves an organization or has deployments. The answer is what was deleted.',
    })
    .input(LicenseRef)
    .output(License)
    .mutation(({ ctx, input }) => deleteLicense(ctx.deps, ctx.principal, input.licenseId)),

  validate: publicProcedure
    .meta({
      summary: 'Tell whether a license key is in force',
      rateLimit: { name: 'license.validate', points: 60, seconds: 60, per: 'client' },
    })
    .input(z.object({ key: LicenseKey }))
    .output(
      z.object({
        valid: z.boolean(),
        reason: z.enum(LICENSE_FAULTS).nullable().meta({ description: 'Why it is not.' }),
        plan: Plan.nullable(),
        expiresAt: Moment.nullable(),
      }),
    )
    .query(({ ctx, input }) => validateLicense(ctx.deps, input.key)),
});
