import { z } from 'zod';
import { organizationDeployments } from '../../domain/deployment/index.ts';
import { assignLicense, organizationLicense, unassignLicense } from '../../domain/license/index.ts';
import { pageOf } from '../../kernel/pagination.ts';
import { Id } from '../../kernel/schemas.ts';
import { Deployment } from '../deployment.ts';
import { License, LicenseRef } from '../license/schemas.ts';
import { ListPage } from '../schemas.ts';
import { organizationProcedure, platformProcedure } from '../trpc.ts';

const Required = z.object({ organizationId: Id });

export const licenseProcedures = {
  license: organizationProcedure('organization:read')
    .meta({
      summary: 'Read the license that serves an organization',
      description: 'Null without one; that, and one that is not valid, is the free plan.',
    })
    .output(License.nullable())
    .query(({ ctx }) => organizationLicense(ctx.deps, ctx.actor)),

  assignLicense: platformProcedure('license.manage')
    .meta({
      summary: 'Have a license serve an organization',
      description:
        'Instead of the one that did so far, whose deployments come under it. A license serves one organization at a time.',
    })
    .input(Required.extend(LicenseRef.shape))
    .output(License)
    .mutation(({ ctx, input }) =>
      assignLicense(ctx.deps, ctx.principal, input.organizationId, input.licenseId),
    ),

  unassignLicense: platformProcedure('license.manage')
    .meta({
      summary: 'Put an organization back on the free plan',
      description:
        'Its servers and deployments stay; the latter are listed again once it has a license. The answer is the license that served it.',
    })
    .input(Required)
    .output(License)
    .mutation(({ ctx, input }) => unassignLicense(ctx.deps, ctx.principal, input.organizationId)),

  deployments: organizationProcedure('deployment:read')
    .meta({
      summary: 'List the deployments of an organization, oldest first',
      description: 'Through its license: without one there are none to see.',
    })
    .input(
      ListPage.extend({
        activeOnly: z
          .boolean()
          .default(false)
          .meta({ description: 'Only those that are pending or running.' }),
      }).prefault({}),
    )
    .output(z.object({ items: z.array(Deployment), nextCursor: Id.nullable() }))
    .query(({ ctx, input }) => {
      const { activeOnly } = input;
      return pageOf(input, (page) => organizationDeployments(ctx.deps, ctx.actor, { activeOnly, ...page }));
    }),
};
