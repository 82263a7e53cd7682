import { initTRPC, TRPCError } from '@trpc/server';
import type { RateLimit } from '../domain/deps.ts';
import { requireActor, requireActorOf } from '../domain/organization/index.ts';
import { isLimited, type OrganizationActor, type Principal } from '../domain/principal.ts';
import { DomainError, forbidden, tooManyRequests, unauthorized } from '../kernel/errors.ts';
import type { Permission, PlatformRight } from '../kernel/permissions.ts';
import { canOnPlatform } from '../kernel/permissions.ts';
import type { Context } from './context.ts';
import { describeError, TRPC_CODE } from './errors.ts';
import { InvitationRef, MemberRef, OrganizationRef } from './schemas.ts';
import { bareOrSuperjson } from './transformer.ts';

/** Everything that is said about a procedure besides its input, output and code. */
export type Meta = {
  /** Who may call it. Every procedure states one. */
  access?: 'public' | 'user' | `platform:${PlatformRight}` | Permission;
  /** One line for the reference. */
  summary?: string;
  /** What an expert should know, in a few sentences. */
  description?: string;
  /**
   * Which limited API keys may call it: a permission admits those bound to an organization, and of those limited to
   * permissions the ones that hold it. User procedures admit none when this is left out, procedures of an
   * organization all that hold the permission in `access`.
   */
  limitedKeys?: 'any' | 'none' | Permission;
  /** Counted per user, or per client address for anonymous callers. */
  rateLimit?: RateLimit;
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

/** A refusal of the domain becomes an error of the wire; an unexpected error keeps its cause for the log. */
const withErrors = t.procedure.use(async ({ next }) => {
  const result = await next();
  if (result.ok) return result;
  const { cause } = result.error;
  if (cause instanceof DomainError) {
    throw new TRPCError({ code: TRPC_CODE[cause.code], message: cause.message, cause });
  }
  return result;
});

const withRateLimit = t.middleware(async ({ ctx, meta, next }) => {
  const limit = meta?.rateLimit;
  if (limit === undefined) return next();
  const result = await ctx.rateLimiter.consume(limit, ctx.principal?.userId ?? ctx.clientKey);
  ctx.setHeader('ratelimit-policy', `"${limit.name}";q=${limit.points};w=${limit.seconds}`);
  ctx.setHeader('ratelimit', `"${limit.name}";r=${result.remaining};t=${result.resetSeconds}`);
  if (!result.allowed) {
    throw tooManyRequests(
      'rate_limited',
      `At most ${limit.points} calls in ${limit.seconds} seconds. Try again in ${result.resetSeconds} s.`,
      result.resetSeconds,
    );
  }
  return next();
});

/** Anybody may call it. */
export const publicProcedure = withErrors.use(withRateLimit).meta({ access: 'public' });

const signedIn = withErrors.use(withRateLimit).use(({ ctx, next }) => {
  if (ctx.principal === null)
    throw unauthorized('not_signed_in', 'Sign in, or send an API key as x-api-key.');
  return next({ ctx: { principal: ctx.principal } });
});

function requireKey({ key }: Principal, limitedKeys: NonNullable<Meta['limitedKeys']>): void {
  if (limitedKeys === 'any' || !isLimited(key)) return;
  if (limitedKeys === 'none') {
    throw forbidden('key_is_limited', 'This API key is limited to its organization or permissions.');
  }
  if (key.permissions !== null && !key.permissions.includes(limitedKeys)) {
    throw forbidden('permission_missing', `You need the permission ${limitedKeys} for this.`);
  }
}

/** Any signed-in user, by a session or by an API key that is not limited. */
export const userProcedure = signedIn.meta({ access: 'user' }).use(({ ctx, meta, next }) => {
  requireKey(ctx.principal, meta?.limitedKeys ?? 'none');
  return next();
});

/** Platform staff with this right. */
export const platformProcedure = (right: PlatformRight) =>
  userProcedure.meta({ access: `platform:${right}` }).use(({ ctx, next }) => {
    if (!canOnPlatform(ctx.principal.platformRole, right)) {
      throw forbidden('platform_right_missing', `You need the platform right ${right} for this.`);
    }
    return next();
  });

/** What a procedure of an organization gets to know of its caller. */
async function acting(found: Promise<OrganizationActor>, meta: Meta | undefined) {
  const actor = await found;
  requireKey(actor.principal, meta?.limitedKeys ?? 'any');
  return { actor };
}

/** A member with this permission in the organization that `organizationId` names, or in the active one. */
export const organizationProcedure = (permission: Permission) =>
  signedIn
    .meta({ access: permission })
    .input(OrganizationRef.prefault({}))
    .use(async ({ ctx, input, meta, next }) =>
      next({
        ctx: await acting(requireActor(ctx.deps, ctx.principal, input.organizationId, permission), meta),
      }),
    );

/** The same in the organization of the member that `memberId` names. */
export const memberProcedure = (permission: Permission) =>
  signedIn
    .meta({ access: permission })
    .input(MemberRef)
    .use(async ({ ctx, input, meta, next }) =>
      next({
        ctx: await acting(
          requireActorOf(ctx.deps, ctx.principal, 'member', input.memberId, permission),
          meta,
        ),
      }),
    );

/** The same in the organization of the invitation that `invitationId` names. */
export const invitationProcedure = (permission: Permission) =>
  signedIn
    .meta({ access: permission })
    .input(InvitationRef)
    .use(async ({ ctx, input, meta, next }) =>
      next({
        ctx: await acting(
          requireActorOf(ctx.deps, ctx.principal, 'invitation', input.invitationId, permission),
          meta,
        ),
      }),
    );
