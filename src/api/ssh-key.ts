import { z } from 'zod';
import { requireNewOwner, requireOwner } from '../domain/owner/index.ts';
import {
  createSshKey,
  listSshKeys,
  MAX_PRIVATE_KEY_LENGTH,
  MAX_PUBLIC_KEY_LENGTH,
  oneSshKey,
  removeSshKey,
  SSH_KEY_FIELDS,
  updateSshKey,
} from '../domain/ssh-key/index.ts';
import { DESCRIPTION_MAX_LENGTH } from '../kernel/lengths.ts';
import { pageOf } from '../kernel/pagination.ts';
import { Id, Name } from '../kernel/schemas.ts';
import { bareList } from './bare-lists.ts';
import { ArrayPage, isStorable, Moment, OrganizationRef } from './schemas.ts';
import { IN_ORGANIZATION, ownersProcedureOn, router, signedIn, userProcedure } from './trpc.ts';

const Description = z.string().trim().max(DESCRIPTION_MAX_LENGTH);

const SshKey = z
  .object({
    id: Id,
    sshKeyId: Id.meta({ description: 'The same as id, by the name that Dokploy gave it.' }),
    userId: Id.nullable().meta({ description: 'Set where a user owns the key.' }),
    organizationId: Id.nullable().meta({ description: 'Set where an organization owns the key.' }),
    name: z.string(),
    description: z.string().nullable(),
    publicKey: z.string().meta({ description: 'Type and base64, as in authorized_keys.' }),
    type: z.string().meta({ example: 'ssh-ed25519' }),
    bits: z.number().int(),
    fingerprint: z
      .string()
      .meta({ description: 'As ssh-keygen -l shows it.', example: 'SHA256:lIdBvlysQsxXk2b' }),
    hasPrivateKey: z.boolean(),
    lastUsedAt: Moment.nullable(),
    createdAt: Moment,
  })
  .meta({ id: 'SshKey' });

const sshKeyProcedure = ownersProcedureOn('sshKey', 'sshKeyId');

export const sshKeyRouter = router({
  create: signedIn
    .meta({
      access: 'sshKey:create',
      place: IN_ORGANIZATION,
      summary: 'Keep an SSH key',
      description:
        'For the organization, or for the caller when organizationId is left out. The private key, where given, must belong to the public one; it is kept encrypted and never shown. A private key with a passphrase must be in the format of OpenSSH.',
    })
    .input(
      z.object({
        name: Name,
        description: Description.nullish(),
        publicKey: z
          .string()
          .max(MAX_PUBLIC_KEY_LENGTH)
          .meta({ description: 'One line as in authorized_keys, without options.' }),
        privateKey: z.string().max(MAX_PRIVATE_KEY_LENGTH).optional().meta({ description: 'Empty is none.' }),
        organizationId: Id.meta({ description: 'The caller owns the key when left out.' }).optional(),
      }),
    )
    .output(SshKey)
    .mutation(async ({ ctx, input: { organizationId, ...key } }) => {
      const { deps, principal } = ctx;
      const owner = await requireNewOwner(deps, principal, organizationId, 'sshKey:create');
      return createSshKey(deps, owner, key);
    }),

  generate: userProcedure
    .meta({
      summary: 'Make a new key pair',
      description: 'In the formats of OpenSSH. It is shown in this answer only: nothing is stored.',
      limitedKeys: 'sshKey:create',
      rateLimit: { name: 'sshKey.generate', points: 10, seconds: 60 },
      audited: false,
    })
    .input(z.object({ type: z.enum(['rsa', 'ed25519']).default('ed25519') }).prefault({}))
    .output(z.object({ privateKey: z.string(), publicKey: z.string() }))
    .mutation(({ ctx, input }) => ctx.deps.sshKeys.generate(input.type)),

  all: signedIn
    .meta({
      access: 'sshKey:read',
      place: IN_ORGANIZATION,
      summary: 'List the SSH keys of an organization, or of the caller',
    })
    .input(
      OrganizationRef.extend({
        ...ArrayPage.shape,
        scope: z
          .enum(['organization', 'user'])
          .default('organization')
          .meta({ description: 'Whose keys: those of the organization, or the caller’s own.' }),
      }).prefault({}),
    )
    .output(z.array(SshKey))
    .query(async ({ ctx, input }) => {
      const owner = await requireOwner(ctx.deps, ctx.principal, input, 'sshKey:read');
      return bareList(
        ctx,
        pageOf(input, (page) => listSshKeys(ctx.deps, owner, page)),
      );
    }),

  one: sshKeyProcedure('sshKey:read')
    .meta({ summary: 'Read one SSH key', version: SSH_KEY_FIELDS })
    .output(SshKey)
    .query(({ ctx, input }) => oneSshKey(ctx.deps, ctx.owner, input.sshKeyId)),

  update: sshKeyProcedure('sshKey:update')
    .meta({
      summary: 'Change what is said about an SSH key',
      description: 'What is left out stays, null clears.',
      version: SSH_KEY_FIELDS,
    })
    .input(
      z.object({
        name: Name.optional(),
        description: Description.nullish(),
        lastUsedAt: z.iso.datetime({ offset: true }).refine(isStorable, 'Out of range.').nullish(),
      }),
    )
    .output(SshKey)
    .mutation(({ ctx, input: { sshKeyId, lastUsedAt, ...changes } }) =>
      updateSshKey(
        ctx.deps,
        ctx.owner,
        sshKeyId,
        { ...changes, lastUsedAt: lastUsedAt == null ? lastUsedAt : new Date(lastUsedAt) },
        ctx.ifMatch,
      ),
    ),

  remove: sshKeyProcedure('sshKey:delete')
    .meta({ summary: 'Remove an SSH key', description: 'The answer is what was removed.' })
    .output(SshKey)
    .mutation(({ ctx, input }) => removeSshKey(ctx.deps, ctx.owner, input.sshKeyId)),
});
