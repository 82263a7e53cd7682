import { z } from 'zod';
import { ACCOUNT_FIELDS, updateAccount } from '../../domain/account/index.ts';
import { PASSWORD_ATTEMPTS, requireAttempt } from '../../domain/attempts.ts';
import { PASSWORD_MAX_LENGTH } from '../../kernel/password.ts';
import { Country, Day, Email, Locale, NamePart, TextLine, TimeZone } from '../../kernel/schemas.ts';
import { THEMES } from '../../kernel/vocabulary.ts';
import { Account } from '../schemas.ts';
import { userProcedure } from '../trpc.ts';

const password = z.string().max(PASSWORD_MAX_LENGTH);
const line = TextLine(128).nullable();

const Changes = z.object({
  firstName: NamePart.optional(),
  lastName: NamePart.optional(),
  displayName: TextLine(64).nullable().optional(),
  image: z.string().max(2048).nullable().optional(),
  dateOfBirth: Day.optional(),
  billingLine1: line.optional(),
  billingCity: line.optional(),
  billingState: line.optional(),
  billingZip: TextLine(32).nullable().optional(),
  billingCountry: Country.nullable().optional(),
  settings: z
    .object({ theme: z.enum(THEMES).nullable(), locale: Locale.nullable(), timeZone: TimeZone.nullable() })
    .partial()
    .meta({ description: 'Merged into what is there; null takes one away.' })
    .optional(),
  email: Email.optional(),
  password: password
    .meta({ description: '8 to 128 characters: upper-case, lower-case, a digit and a symbol.' })
    .optional(),
  currentPassword: password.meta({ description: 'Needed for a new password or address.' }).optional(),
});

/** Dokploy's form sends an empty text for a password that is to stay. */
const given = (text: string | undefined) => (text === '' ? undefined : text);

export const updateProcedures = {
  update: userProcedure
    .meta({
      summary: "Change the caller's own account",
      description:
        'Omitted keeps, null clears. A new password ends all other sessions. A new address takes effect when the link that it is mailed is opened; the present address is told. Fields that are not listed here, such as role, are ignored.',
      version: ACCOUNT_FIELDS,
    })
    .input(Changes)
    .output(Account)
    .mutation(async ({ ctx, input }) => {
      const changes = {
        ...input,
        password: given(input.password),
        currentPassword: given(input.currentPassword),
      };
      if (changes.currentPassword !== undefined) {
        await requireAttempt(ctx.rateLimiter, PASSWORD_ATTEMPTS, ctx.principal.userId);
      }
      return updateAccount(ctx.deps, ctx.principal, changes, ctx.rateLimiter, ctx.ifMatch);
    }),
};
