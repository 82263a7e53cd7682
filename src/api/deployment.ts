import { z } from 'zod';
import {
  createDeployment,
  destroyDeployment,
  listDeployments,
  reportDeployment,
  stopDeployment,
} from '../domain/deployment/index.ts';
import { pageOf } from '../kernel/pagination.ts';
import { Id, Name, NO_PATTERN, TextLine } from '../kernel/schemas.ts';
import {
  DEPLOYMENT_COMPONENTS,
  DEPLOYMENT_HEALTHS,
  DEPLOYMENT_HOSTINGS,
  DEPLOYMENT_STATUSES,
} from '../kernel/vocabulary.ts';
import { LicenseKey } from './license/schemas.ts';
import { ListPage, Moment } from './schemas.ts';
import { organizationProcedure, platformProcedure, procedureOn, publicProcedure, router } from './trpc.ts';

const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
const Subdomain = z
  .string()
  .trim()
  .toLowerCase()
  .max(63)
  .regex(new RegExp(`^${label}$`), 'A subdomain is a label of a-z, 0-9 and inner hyphens.')
  .meta({ ...NO_PATTERN, example: 'learn' });
const BaseDomain = z
  .string()
  .trim()
  .toLowerCase()
  .max(189)
  .regex(
    new RegExp(`^(?:${label}\\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$`),
    'A base domain is a name such as example.com.',
  )
  .meta({ ...NO_PATTERN, example: 'acme.example.com' });
const Version = TextLine(64).meta({ example: '2.4.1' });

export const Deployment = z
  .object({
    id: Id,
    licenseId: Id,
    organizationId: Id,
    name: z.string(),
    subdomain: z.string(),
    baseDomain: z.string(),
    componentType: z.enum(DEPLOYMENT_COMPONENTS),
    parentDeploymentId: Id.nullable().meta({ description: 'The API that a client speaks to.' }),
    hostingType: z.enum(DEPLOYMENT_HOSTINGS),
    version: z.string().nullable(),
    status: z.enum(DEPLOYMENT_STATUSES),
    health: z.enum(DEPLOYMENT_HEALTHS).meta({ description: 'As the instance last said, at reportedAt.' }),
    reportedAt: Moment.nullable(),
    createdAt: Moment,
    updatedAt: Moment,
  })
  .meta({ id: 'Deployment' });

const deploymentProcedure = procedureOn('deployment', 'deploymentId');

export const deploymentRouter = router({
  create: organizationProcedure('deployment:create')
    .meta({
      summary: 'Add a deployment under the license of an organization',
      description:
        'Refused without a license in force. It is pending until the instance reports for the first time.',
    })
    .input(
      z.object({
        name: Name,
        subdomain: Subdomain,
        baseDomain: BaseDomain,
        componentType: z.enum(DEPLOYMENT_COMPONENTS),
        parentDeploymentId: Id.nullish().meta({ description: 'For a client: the deployment of its API.' }),
        hostingType: z.enum(DEPLOYMENT_HOSTINGS).default('hosted'),
        version: Version.nullish(),
      }),
    )
    .output(Deployment)
    .mutation(
      ({ ctx, input: { organizationId: _, parentDeploymentId = null, version = null, ...deployment } }) =>
        createDeployment(ctx.deps, ctx.actor, { ...deployment, parentDeploymentId, version }),
    ),

  stop: deploymentProcedure('deployment:update')
    .meta({ summary: 'Stop a deployment', description: 'The instance learns of it by its next report.' })
    .output(Deployment)
    .mutation(({ ctx, input }) => stopDeployment(ctx.deps, ctx.actor, input.deploymentId)),

  destroy: deploymentProcedure('deployment:delete')
    .meta({
      summary: 'End a deployment for good',
      description: 'Once it is stopped, and no client speaks to it. Its address is free again.',
    })
    .output(Deployment)
    .mutation(({ ctx, input }) => destroyDeployment(ctx.deps, ctx.actor, input.deploymentId)),

  all: platformProcedure('deployment.readAny', 'Members read organization.deployments.')
    .meta({ summary: 'List the deployments of the installation, oldest first' })
    .input(
      ListPage.extend({
        licenseId: Id.optional(),
        organizationId: Id.optional(),
        status: z.enum(DEPLOYMENT_STATUSES).optional(),
      }).prefault({}),
    )
    .output(z.object({ items: z.array(Deployment), nextCursor: Id.nullable() }))
    .query(({ ctx, input }) => {
      const { licenseId = null, organizationId = null, status = null } = input;
      const filter = { licenseId, organizationId, status };
      return pageOf(input, (page) => listDeployments(ctx.deps, filter, page));
    }),

  report: publicProcedure
    .meta({
      summary: 'Tell how an instance is, by its license key',
      description:
        'The first report makes the deployment run. The instance is to stop when the answer says stopped.',
      rateLimit: { name: 'deployment.report', points: 600, seconds: 60, per: 'client' },
      audited: false,
    })
    .input(
      z.object({
        deploymentId: Id,
        key: LicenseKey,
        health: z.enum(['healthy', 'unhealthy']),
        version: Version.optional(),
      }),
    )
    .output(
      z.object({
        status: z.enum(DEPLOYMENT_STATUSES),
        licenseValid: z.boolean().meta({
          description: 'Whether the license is in force and serves the organization of the deployment.',
        }),
      }),
    )
    .mutation(({ ctx, input }) => reportDeployment(ctx.deps, input)),
});
