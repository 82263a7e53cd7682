import { z } from 'zod';
import {
  createCustomRole,
  listCustomRoles,
  listRoleHolders,
  removeCustomRole,
  updateCustomRole,
} from '../domain/custom-role/index.ts';
import { pageOf } from '../kernel/pagination.ts';
import {
  giveableStatements,
  isBuiltIn,
  isGiveable,
  type Permission,
  STATEMENTS,
} from '../kernel/permissions.ts';
import { Id, TextLine } from '../kernel/schemas.ts';
import { bareList } from './bare-lists.ts';
import { ArrayPage, Moment, Role, RoleName } from './schemas.ts';
import { organizationProcedure, router } from './trpc.ts';

const NewRoleName = TextLine(50).refine(
  (name) => !isBuiltIn(name.toLowerCase()),
  'owner, admin and member are roles of every organization.',
);

/** Resource → actions, as a list of permissions. */
const RolePermissions = z
  .record(z.string().max(64), z.array(z.string().max(64)).max(100))
  .transform((byResource, ctx): Permission[] => {
    const found = new Set<Permission>();
    for (const [resource, actions] of Object.entries(byResource)) {
      if (!Object.hasOwn(STATEMENTS, resource)) {
        ctx.addIssue({ code: 'custom', path: [resource], message: 'There is no such resource.' });
      }
      for (const [at, action] of actions.entries()) {
        const permission = `${resource}:${action}`;
        if (isGiveable(permission)) found.add(permission);
        else {
          ctx.addIssue({
            code: 'custom',
            path: [resource, at],
            message: 'No role can be given this action.',
          });
        }
      }
    }
    return [...found];
  })
  .meta({
    description: 'Resource → actions, of those in customRole.getStatements.',
    example: { member: ['read'], invitation: ['read', 'create'] },
  });

/** Resource → actions. */
const PermissionsByResource = z.record(z.string(), z.array(z.string())).meta({
  id: 'PermissionsByResource',
  description: 'Resource → actions.',
  example: { member: ['read'], invitation: ['read', 'create'] },
});

const CustomRole = z
  .object({
    id: Id,
    organizationId: Id,
    role: Role,
    permissions: PermissionsByResource,
    createdAt: Moment,
    updatedAt: Moment,
  })
  .meta({ id: 'CustomRole' });

export const customRoleRouter = router({
  all: organizationProcedure('customRole:read')
    .meta({
      summary: 'List the roles that an organization has made, oldest first',
      description: 'owner, admin and member are not in the list.',
    })
    .output(
      z.array(
        CustomRole.extend({
          ids: z.array(Id).meta({ description: 'As Dokploy answers: the id alone.' }),
          memberCount: z.number().int(),
        }),
      ),
    )
    .query(async ({ ctx }) =>
      (await listCustomRoles(ctx.deps, ctx.actor)).map((role) => ({ ...role, ids: [role.id] })),
    ),

  create: organizationProcedure('customRole:create')
    .meta({
      summary: 'Make a role',
      description: 'At most 10 in an organization, and of no right that the caller lacks.',
    })
    .input(z.object({ roleName: NewRoleName, permissions: RolePermissions }))
    .output(CustomRole)
    .mutation(({ ctx, input }) => createCustomRole(ctx.deps, ctx.actor, input)),

  update: organizationProcedure('customRole:update')
    .meta({
      summary: 'Give a role other rights or another name',
      description:
        'permissions replace what the role had, from the next request of its members on. Members, invitations and the default role follow a new name. Not a role with rights that the caller lacks, nor one that the caller or somebody of the same rank has.',
    })
    .input(
      z.object({ roleName: RoleName, newRoleName: NewRoleName.optional(), permissions: RolePermissions }),
    )
    .output(CustomRole)
    .mutation(({ ctx, input }) => updateCustomRole(ctx.deps, ctx.actor, input)),

  remove: organizationProcedure('customRole:delete')
    .meta({
      summary: 'Remove a role that nobody has',
      description: 'Refused while members, open invitations or the default role name it.',
    })
    .input(z.object({ roleName: RoleName }))
    .output(z.object({ deleted: z.literal(1) }))
    .mutation(async ({ ctx, input }) => {
      await removeCustomRole(ctx.deps, ctx.actor, input.roleName);
      return { deleted: 1 as const };
    }),

  membersByRole: organizationProcedure('member:read')
    .meta({ summary: 'List who has a role, built-in or custom, oldest members first' })
    .input(ArrayPage.extend({ roleName: RoleName }))
    .output(
      z.array(
        z.object({ id: Id, userId: Id, email: z.string(), firstName: z.string(), lastName: z.string() }),
      ),
    )
    .query(({ ctx, input }) =>
      bareList(
        ctx,
        pageOf(input, (page) => listRoleHolders(ctx.deps, ctx.actor, input.roleName, page)),
      ),
    ),

  getStatements: organizationProcedure('customRole:read')
    .meta({
      summary: 'Read what a role can be made of',
      description: 'Resource → actions. To delete an organization is for its owner alone.',
    })
    .output(PermissionsByResource)
    .query(() => giveableStatements()),
});
