import { initTRPC, TRPCError } from '@trpc/server';
import { z } from 'zod';
import { requireActor, requireActorOf } from '../domain/organization/index.ts';
import { requireOwnerOf } from '../domain/owner/index.ts';
import type { OfUserKind, OwnedKind, Place } from '../domain/place.ts';
import { isLimited, type OrganizationActor, type Principal } from '../domain/principal.ts';
import { DomainError, forbidden, unauthorized } from '../kernel/errors.ts';
import type { Permission, PlatformRight, RoleGrant } from '../kernel/permissions.ts';
import { can, canOnPlatform } from '../kernel/permissions.ts';
import { Id } from '../kernel/schemas.ts';
import type { Context } from './context.ts';
import { describeError, TRPC_CODE } from './errors.ts';
import { linesRefused } from './lines.ts';
import { countCall, type DeclaredLimit } from './rate-limits.ts';
import { MemberName, OrganizationRef } from './schemas.ts';
import { bareOrSuperjson } from './transformer.ts';
import { formWanted } from './upload.ts';

/** Everything that is said about a procedure besides its input, output and code. */
export type Meta = {
  /** Who may call it. Every procedure states one. `member` is whoever belongs to the organization, in any role. */
  access?: 'public' | 'user' | 'member' | `platform:${PlatformRight}` | Permission;
  /** One line for the reference. */
  summary?: string;
  /** What an expert should know, in a few sentences. */
  description?: string;
  /**
   * Which limited API keys may call it: a permission admits those bound to an organization, and of those limited to
   * permissions the ones that hold it, within their holder's role where the procedure is of an organization. User
   * procedures admit none when this is left out, procedures of an organization all that hold the permission in `access`.
   */
  limitedKeys?: 'any' | 'none' | Permission;
  /**
   * Counted per user, or per client address for anonymous callers and where `per` says so, over both surfaces. Several
   * limits hold side by side; procedures that name the same one share it.
   */
  rateLimit?: DeclaredLimit | readonly DeclaredLimit[];
  /**
   * The fields that its update can change, of a thing that has one (kernel/versions.ts). A read that has them answers
   * with them in its ETag; a mutation that has them takes If-Match, and asks `requireVersion` under its lock.
   */
  version?: readonly string[];
  /** Fields of its input that name where it happens; the first that is given counts. It is read with the caller. */
  place?: readonly { field: string; kind: Place['kind'] }[];
  /** Whether it asks the settings, which then are read with the caller too. */
  asksSettings?: true;
  /**
   * False for a mutation that leaves nothing in the audit log: it changes nothing that is anybody's yet, or is what a
   * machine says of itself.
   */
  audited?: false;
  /** Whether its input is a form with a file, `multipart/form-data`; over tRPC, which is JSON here, it is refused. */
  upload?: true;
  /** Whether it is asked again and again, and says by 400 with Retry-After that there is nothing yet. */
  polled?: true;
  /** Whether it answers in lines of JSON of any number, over plain HTTP; over tRPC it is refused. */
  lines?: true;
};

const t = initTRPC
  .context<Context>()
  .meta<Meta>()
  .create({
    transformer: bareOrSuperjson,
    isDev: false,
    errorFormatter({ shape, error }) {
      const { message, reason, issues } = describeError(error);
      return {
        ...shape,
        message,
        data: { ...shape.data, reason, ...(issues === undefined ? {} : { issues }) },
      };
    },
  });

export const router = t.router;

/**
 * What every call goes through first, in one step: each that tRPC takes makes a copy of the context. A refusal of the
 * domain becomes an error of the wire; an unexpected error keeps its cause for the log.
 */
async function admit<R extends { ok: boolean; error?: TRPCError }>(
  { ctx, meta, path }: { ctx: Context; meta: Meta | undefined; path: string },
  next: () => Promise<R>,
): Promise<R> {
  try {
    await countCall(ctx, [meta?.rateLimit ?? []].flat());
    // A file comes in a form and never in JSON, whatever the wire.
    if (meta?.upload === true && !ctx.isForm) throw formWanted();
    // Over tRPC an answer is one value, and lines would have to be gathered in memory.
    if (meta?.lines === true && !ctx.takesLines) throw linesRefused(path);
    const result = await next();
    if (result.error?.cause instanceof DomainError) throw result.error.cause;
    return result;
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    throw new TRPCError({ code: TRPC_CODE[error.code], message: error.message, cause: error });
  }
}

/** Anybody may call it. */
export const publicProcedure = t.procedure
  .meta({ access: 'public' })
  .use(({ next, ...call }) => admit(call, next));

/** Any signed-in caller; what an API key's limits mean is then the procedure's affair. */
export const signedIn = t.procedure.use(({ next, ...call }) =>
  admit(call, async () => {
    const { principal } = call.ctx;
    if (principal === null) throw unauthorized('not_signed_in', 'Sign in, or send an API key as x-api-key.');
    return next({ ctx: { principal } });
  }),
);

/** `grant` is the holder's role, where the procedure happens in one organization. */
function requireKey(
  { key }: Principal,
  limitedKeys: NonNullable<Meta['limitedKeys']>,
  grant?: RoleGrant,
): void {
  if (limitedKeys === 'any' || !isLimited(key)) return;
  if (limitedKeys === 'none') {
    throw forbidden('key_is_limited', 'This API key is limited to its organization or permissions.');
  }
  const keyAllows = key.permissions === null || key.permissions.includes(limitedKeys);
  if (!keyAllows || (grant !== undefined && !can(grant, limitedKeys))) {
    throw forbidden('permission_missing', `You need the permission ${limitedKeys} for this.`);
  }
}

/** Any signed-in user, by a session or by an API key that is not limited. */
export const userProcedure = signedIn.meta({ access: 'user' }).use(({ ctx, meta, next }) => {
  requireKey(ctx.principal, meta?.limitedKeys ?? 'none');
  return next();
});

/** Platform staff with this right. `instead` tells everybody else what they can do. */
export const platformProcedure = (right: PlatformRight, instead = '') =>
  userProcedure.meta({ access: `platform:${right}` }).use(({ ctx, next }) => {
    if (!canOnPlatform(ctx.principal.platformRole, right)) {
      const message = `You need the platform right ${right} for this. ${instead}`;
      throw forbidden('platform_right_missing', message.trim());
    }
    return next();
  });

/** What a procedure of an organization gets to know of its caller. */
async function acting(found: Promise<OrganizationActor>, meta: Meta | undefined) {
  const actor = await found;
  requireKey(actor.principal, meta?.limitedKeys ?? 'any', actor.grant);
  return { actor };
}

/** Where a procedure happens whose input has an `organizationId`. */
export const IN_ORGANIZATION = [{ field: 'organizationId', kind: 'organization' }] as const;

/** A member with this permission (null: in any role) in the organization that `organizationId` names, or in the active one. */
export const organizationProcedure = (permission: Permission | null) =>
  signedIn
    .meta({ access: permission ?? 'member', place: IN_ORGANIZATION })
    .input(OrganizationRef.prefault({}))
    .use(async ({ ctx, input, meta, next }) =>
      next({
        ctx: await acting(requireActor(ctx.deps, ctx.principal, input.organizationId, permission), meta),
      }),
    );

/** The same for a member by `memberId`, in that member's organization, or by `userId` in the named or active one. */
export const namedMemberProcedure = (permission: Permission) =>
  signedIn
    .meta({ access: permission, place: [...IN_ORGANIZATION, { field: 'memberId', kind: 'member' }] })
    .input(MemberName)
    .use(async ({ ctx, input: { organizationId, memberId }, meta, next }) => {
      const actor =
        memberId !== undefined && organizationId === undefined
          ? requireActorOf(ctx.deps, ctx.principal, 'member', memberId, permission)
          : requireActor(ctx.deps, ctx.principal, organizationId, permission);
      return next({ ctx: await acting(actor, meta) });
    });

/** An input that names something by its id in this field. */
const refBy = <F extends string>(field: F) =>
  z.object({ [field]: Id }) as unknown as z.ZodType<Record<F, string>, Record<F, string>>;

/** Procedures for members with a permission in the organization of what `field` names. */
export const procedureOn =
  <F extends string>(kind: OwnedKind, field: F) =>
  (permission: Permission) =>
    signedIn
      .meta({ access: permission, place: [{ field, kind }] })
      .input(refBy(field))
      .use(async ({ ctx, input, meta, next }) =>
        next({
          ctx: await acting(requireActorOf(ctx.deps, ctx.principal, kind, input[field], permission), meta),
        }),
      );

/** The same of what may also belong to a user, for him too. */
export const ownersProcedureOn =
  <F extends string>(kind: OfUserKind, field: F) =>
  (permission: Permission) =>
    signedIn
      .meta({ access: permission, place: [{ field, kind }] })
      .input(refBy(field))
      .use(async ({ ctx, input, next }) =>
        next({
          ctx: { owner: await requireOwnerOf(ctx.deps, ctx.principal, kind, input[field], permission) },
        }),
      );

export const memberProcedure = procedureOn('member', 'memberId');
export const invitationProcedure = procedureOn('invitation', 'invitationId');
