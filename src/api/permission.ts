import { z } from 'zod';
import { explainPermission, simulatePermissions } from '../domain/permission/index.ts';
import type { Permission } from '../kernel/permissions.ts';
import { Id, PermissionText } from '../kernel/schemas.ts';
import { OrganizationRef, PermissionFlags, Role, RoleName } from './schemas.ts';
import { organizationProcedure, router, userProcedure } from './trpc.ts';

export const permissionRouter = router({
  explain: userProcedure
    .meta({
      summary: 'Tell whether a member may do something, and what decides about it',
      description:
        'About oneself every member may ask, and the API key that asks counts; about another member who has member:read. decidedBy is role, key or rule: a rule is a suspended account, or a change in an inactive organization.',
      limitedKeys: 'any',
    })
    .input(
      OrganizationRef.extend({
        permission: PermissionText as z.ZodType<Permission, string>,
        userId: Id.meta({ description: 'The caller when left out.' }).optional(),
      }),
    )
    .output(
      z.object({
        allowed: z.boolean(),
        permission: z.string(),
        organizationId: Id,
        userId: Id,
        role: Role,
        apiKeyId: Id.nullable().meta({ description: 'The API key that was taken into account.' }),
        decidedBy: z.enum(['role', 'key', 'rule']),
        rule: z.enum(['account_suspended', 'organization_inactive']).nullable(),
        reason: z.string().meta({ description: 'A sentence.' }),
      }),
    )
    .query(({ ctx, input }) => explainPermission(ctx.deps, ctx.principal, input)),

  simulate: organizationProcedure('customRole:read')
    .meta({
      summary: 'Read what a member may do, or could do with another role or API key',
      description: 'By resource and action. Nothing is changed.',
    })
    .input(
      z
        .object({
          userId: Id.meta({
            description: 'A member; needs member:read. The caller when left out.',
          }).optional(),
          role: RoleName.meta({ description: 'As if the member had this role.' }).optional(),
          apiKeyId: Id.meta({ description: 'As if he came with this API key of the caller.' }).optional(),
        })
        .prefault({}),
    )
    .output(z.object({ role: Role, permissions: PermissionFlags }))
    .query(({ ctx, input }) => simulatePermissions(ctx.deps, ctx.actor, input)),
});
