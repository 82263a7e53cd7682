import { z } from 'zod';
import { registerAccount } from '../../domain/account/index.ts';
import { requireStrangersAttempt } from '../../domain/attempts.ts';
import { PASSWORD_MAX_LENGTH } from '../../kernel/password.ts';
import { Country, Day, Email, Id, Name, NamePart, Token } from '../../kernel/schemas.ts';
import { publicProcedure } from '../trpc.ts';

const Registration = z.object({
  email: Email,
  password: z.string().max(PASSWORD_MAX_LENGTH).meta({
    description: '8 to 128 characters: upper-case, lower-case, a digit and a symbol.',
  }),
  firstName: Name,
  lastName: NamePart.meta({ description: 'Empty for people of one name.' }),
  dateOfBirth: Day.optional(),
  billingCountry: Country.optional(),
  invitationToken: Token.meta({ description: 'Joins that organization instead of making one.' }).optional(),
});

export const registrationProcedures = {
  register: publicProcedure
    .meta({
      summary: 'Make an account',
      description:
        'Signs nobody in. settings.get says whether registration is on and what it asks for: 503 while it is off, 403 for a closed country, 400 below the minimum age.',
      rateLimit: { name: 'user.register', points: 20, seconds: 60, per: 'client' },
    })
    .input(Registration)
    .output(z.object({ success: z.literal(true), userId: Id }))
    .mutation(async ({ ctx, input }) => {
      await requireStrangersAttempt(ctx.deps, ctx.rateLimiter);
      const name = [input.firstName, input.lastName].filter((part) => part !== '').join(' ');
      const { userId } = await registerAccount(ctx.deps, ctx.origin, { ...input, name });
      return { success: true as const, userId };
    }),
};
