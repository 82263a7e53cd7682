import { z } from 'zod';
import {
  createApiKey,
  deleteApiKey,
  describeCaller,
  listApiKeys,
  type NewApiKey,
  rotateApiKey,
} from '../domain/api-key/index.ts';
import { badRequest, notFound } from '../kernel/errors.ts';
import { API_KEY_NAME_MAX_LENGTH } from '../kernel/lengths.ts';
import { pageOf } from '../kernel/pagination.ts';
import { PLATFORM_ROLES } from '../kernel/permissions.ts';
import { Id, Network, TextLine } from '../kernel/schemas.ts';
import { API_KEY_SCOPES } from '../kernel/vocabulary.ts';
import { ApiKey, CreatedApiKey, ListPage, Moment, Permissions, Role } from './schemas.ts';
import { router, userProcedure } from './trpc.ts';

const TEN_YEARS_S = 10 * 365 * 24 * 60 * 60;
const ONE_DAY_S = 24 * 60 * 60;
const SEVEN_DAYS_S = 7 * 24 * 60 * 60;
const MAX_COUNT = 1_000_000_000;

const milliseconds = z
  .number()
  .int()
  .min(1000)
  .max(TEN_YEARS_S * 1000)
  .meta({ description: 'Milliseconds.', format: 'int64' });

/** What both ways of making a key take, by the names that Dokploy gave them. */
export const KeyInput = z.object({
  name: TextLine(API_KEY_NAME_MAX_LENGTH),
  prefix: z
    .string()
    .max(32)
    .regex(/^[A-Za-z0-9_-]*$/, 'Letters, digits, _ and - only.')
    .optional(),
  expiresIn: z.number().int().min(60).max(TEN_YEARS_S).meta({ description: 'Seconds.' }).optional(),
  rateLimitEnabled: z.boolean().optional(),
  rateLimitTimeWindow: milliseconds.optional(),
  rateLimitMax: z.number().int().min(1).max(MAX_COUNT).optional(),
  remaining: z.number().int().min(0).max(MAX_COUNT).optional(),
  refillAmount: z.number().int().min(1).max(MAX_COUNT).optional(),
  refillInterval: milliseconds.optional(),
});

/** Two halves of one setting come together or not at all. */
function pair<A, B>(a: A | undefined, b: B | undefined, field: string, message: string): [A, B] | undefined {
  if (a !== undefined && b !== undefined) return [a, b];
  if (a === undefined && b === undefined) return undefined;
  throw badRequest(field, 'incomplete_limit', message);
}

export function limitsOf(
  input: z.infer<typeof KeyInput>,
): Pick<NewApiKey, 'rateLimit' | 'remaining' | 'refill'> {
  const needBoth = 'A rate limit needs rateLimitMax and rateLimitTimeWindow.';
  const rate =
    input.rateLimitEnabled === false
      ? undefined
      : pair(input.rateLimitMax, input.rateLimitTimeWindow, 'rateLimitMax', needBoth);
  if (input.rateLimitEnabled === true && rate === undefined) {
    throw badRequest('rateLimitMax', 'incomplete_limit', needBoth);
  }
  const refill = pair(
    input.refillAmount,
    input.refillInterval,
    'refillAmount',
    'A refill needs refillAmount and refillInterval.',
  );
  return {
    rateLimit: rate && { max: rate[0], timeWindow: rate[1] },
    remaining: input.remaining,
    refill: refill && { amount: refill[0], interval: refill[1] },
  };
}

const Caller = z
  .object({
    userId: Id,
    email: z.string(),
    platformRole: z.enum(PLATFORM_ROLES),
    organizationId: Id.nullable().meta({ description: 'The active organization.' }),
    role: Role.nullable(),
    permissions: z.array(z.string()).meta({ description: 'In the active organization.' }),
    apiKeyId: Id.nullable().meta({ description: 'Null for a session, as is all that follows.' }),
    name: z.string().nullable(),
    scope: z.enum(API_KEY_SCOPES).nullable(),
    expiresAt: Moment.nullable(),
    remaining: z.number().int().nullable(),
  })
  .meta({ id: 'Caller' });

export const apiKeyRouter = router({
  all: userProcedure
    .meta({ summary: 'List the API keys of the caller', limitedKeys: 'any' })
    .input(ListPage.prefault({}))
    .output(z.object({ items: z.array(ApiKey), nextCursor: Id.nullable() }))
    .query(({ ctx, input }) => pageOf(input, (page) => listApiKeys(ctx.deps, ctx.principal, page))),

  create: userProcedure
    .meta({
      summary: 'Create an API key',
      description:
        'Bound to one organization unless scope is user. The key is shown in this answer only. What a key may do is what its holder may do, within its permissions.',
    })
    .input(
      KeyInput.extend({
        scope: z.enum(API_KEY_SCOPES).default('organization'),
        organizationId: Id.meta({ description: 'The active organization when left out.' }).optional(),
        permissions: Permissions.optional(),
        allowedIps: z
          .array(Network)
          .min(1)
          .max(50)
          .transform((networks) => [...new Set(networks)])
          .optional()
          .meta({ description: 'Addresses and ranges (CIDR) that may use the key; anywhere when left out.' }),
      }),
    )
    .output(CreatedApiKey)
    .mutation(({ ctx, input }) => {
      const organizationId = input.organizationId ?? ctx.principal.active?.organizationId;
      if (organizationId === undefined) throw notFound('Organization');
      const { name, scope, prefix, expiresIn, permissions, allowedIps } = input;
      return createApiKey(ctx.deps, ctx.principal, {
        name,
        scope,
        organizationId,
        prefix,
        expiresIn,
        permissions,
        allowedIps,
        ...limitsOf(input),
      });
    }),

  rotate: userProcedure
    .meta({
      summary: 'Give an API key another secret',
      description:
        'Its id, limits and permissions stay. The key before works until the overlap has passed; one that was rotated away earlier ends at once. The new key is shown in this answer only.',
    })
    .input(
      z.object({
        apiKeyId: Id,
        overlapSeconds: z.number().int().min(0).max(SEVEN_DAYS_S).default(ONE_DAY_S),
      }),
    )
    .output(CreatedApiKey)
    .mutation(({ ctx, input }) =>
      rotateApiKey(ctx.deps, ctx.principal, input.apiKeyId, input.overlapSeconds),
    ),

  whoami: userProcedure
    .meta({
      summary: 'Read who is calling and what the call may do',
      description:
        'permissions are those in the active organization: what the caller’s role and the API key both allow.',
      limitedKeys: 'any',
    })
    .output(Caller)
    .query(({ ctx }) => describeCaller(ctx.deps, ctx.principal)),

  delete: userProcedure
    .meta({ summary: 'End an API key at once' })
    .input(z.object({ apiKeyId: Id }))
    .output(z.object({ success: z.literal(true) }))
    .mutation(async ({ ctx, input }) => {
      await deleteApiKey(ctx.deps, ctx.principal, input.apiKeyId);
      return { success: true as const };
    }),
});
