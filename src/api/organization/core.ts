import { z } from 'zod';
import {
  activeOrganization,
  checkHandle,
  createOrganization,
  deleteOrganization,
  listOrganizations,
  ORGANIZATION_FIELDS,
  oneOrganization,
  previewDeletion,
  setActive,
  setDefault,
  updateOrganization,
} from '../../domain/organization/index.ts';
import { ORGANIZATION_DESCRIPTION_MAX_LENGTH } from '../../kernel/lengths.ts';
import { Id, Name } from '../../kernel/schemas.ts';
import { bareList } from '../bare-lists.ts';
import { ArrayPage, GrantableRole, Organization, OrganizationWithMembers } from '../schemas.ts';
import { organizationProcedure, userProcedure } from '../trpc.ts';

const Description = z.string().trim().max(ORGANIZATION_DESCRIPTION_MAX_LENGTH);
const Logo = z.string().trim().max(2048);
const Handle = z.string().min(1).max(253).meta({ example: 'acme.example.com' });
const Required = z.object({ organizationId: Id });

const DeletePreview = z
  .object({
    deletes: z
      .object({
        members: z.number().int(),
        invitations: z.number().int().meta({ description: 'Those that are still to be answered.' }),
        apiKeys: z.number().int().meta({ description: 'Those that are bound to the organization.' }),
        sshKeys: z.number().int(),
        tunnelDevices: z.number().int(),
        tunnelAllocations: z.number().int(),
        dnsZones: z.number().int(),
        dnsRecords: z.number().int(),
        avatar: z.boolean(),
      })
      .meta({ description: 'What goes with the organization.' }),
    deletable: z.boolean(),
    obstacles: z
      .array(z.object({ reason: z.string(), message: z.string() }))
      .meta({ description: 'Why organization.delete would be refused now.' }),
  })
  .meta({ id: 'DeletePreview' });

export const coreProcedures = {
  create: userProcedure
    .meta({
      summary: 'Create an organization',
      description: 'The caller owns it. Without a handle, one is made from the name.',
    })
    .input(
      z.object({
        name: Name,
        handle: Handle.optional(),
        description: Description.nullish(),
        logo: Logo.nullish(),
      }),
    )
    .output(Organization)
    .mutation(({ ctx, input }) => createOrganization(ctx.deps, ctx.principal, input)),

  all: userProcedure
    .meta({
      summary: 'List the organizations of the caller',
      description: "With a limited API key, those that the key and its holder's role there may read.",
      limitedKeys: 'organization:read',
    })
    .input(ArrayPage.extend({ activeOnly: z.boolean().default(false) }).prefault({}))
    .output(z.array(OrganizationWithMembers))
    .query(({ ctx, input: { activeOnly, limit, cursor = null } }) =>
      bareList(ctx, listOrganizations(ctx.deps, ctx.principal, { activeOnly, limit, cursor })),
    ),

  one: organizationProcedure('organization:read')
    .meta({ summary: 'Read one organization', version: ORGANIZATION_FIELDS })
    .input(Required)
    .output(Organization)
    .query(({ ctx }) => oneOrganization(ctx.deps, ctx.actor)),

  update: organizationProcedure('organization:update')
    .meta({
      summary: 'Change an organization',
      description: 'What is left out stays, null clears. An inactive organization can only be activated.',
      rateLimit: { name: 'organization.update', points: 6, seconds: 60 },
      version: ORGANIZATION_FIELDS,
    })
    .input(
      Required.extend({
        name: Name.optional(),
        handle: Handle.optional(),
        description: Description.nullish(),
        logo: Logo.nullish(),
        active: z.boolean().optional(),
        defaultRole: GrantableRole.nullish(),
      }),
    )
    .output(Organization)
    .mutation(({ ctx, input: { organizationId: _, ...changes } }) =>
      updateOrganization(ctx.deps, ctx.actor, changes, ctx.ifMatch),
    ),

  delete: organizationProcedure('organization:delete')
    .meta({
      summary: 'Delete an organization',
      description:
        'With its members, invitations, keys, DNS zones and tunnel devices. Refused for the last one that the caller owns, and while it has servers, deployments or dedicated nodes.',
      version: ORGANIZATION_FIELDS,
    })
    .input(Required)
    .output(z.array(z.never()))
    .mutation(async ({ ctx }) => {
      await deleteOrganization(ctx.deps, ctx.actor, ctx.ifMatch);
      return [];
    }),

  deletePreview: organizationProcedure('organization:delete')
    .meta({
      summary: 'Tell what deleting an organization would take with it, and what stands in the way',
      description: 'Changes nothing.',
    })
    .input(Required)
    .output(DeletePreview)
    .query(async ({ ctx }) => {
      const { deletes, obstacles } = await previewDeletion(ctx.deps, ctx.actor);
      return { deletes, deletable: obstacles.length === 0, obstacles };
    }),

  setDefault: organizationProcedure(null)
    .meta({ summary: 'Make an organization the one that new sessions start in', limitedKeys: 'none' })
    .input(Required)
    .output(z.object({ success: z.literal(true) }))
    .mutation(async ({ ctx }) => {
      await setDefault(ctx.deps, ctx.actor);
      return { success: true as const };
    }),

  setActive: organizationProcedure(null)
    .meta({
      summary: 'Make an organization the one meant where this session or key names none',
      limitedKeys: 'organization:read',
    })
    .input(Required)
    .output(Organization)
    .mutation(async ({ ctx }) => {
      await setActive(ctx.deps, ctx.actor);
      return oneOrganization(ctx.deps, ctx.actor);
    }),

  active: userProcedure
    .meta({
      summary: 'Read the active organization',
      description:
        "Null for who belongs to none, and where a limited API key or its holder's role may not read it.",
      limitedKeys: 'organization:read',
      version: ORGANIZATION_FIELDS,
    })
    .output(Organization.nullable())
    .query(({ ctx }) => activeOrganization(ctx.deps, ctx.principal)),

  checkHandle: userProcedure
    .meta({
      summary: 'Tell whether a handle could be had',
      rateLimit: { name: 'organization.checkHandle', points: 30, seconds: 60 },
    })
    .input(z.object({ handle: Handle }))
    .output(z.object({ available: z.boolean(), reason: z.string().optional() }))
    .query(({ ctx, input }) => checkHandle(ctx.deps, input.handle)),
};
