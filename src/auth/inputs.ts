import { z } from 'zod';
import { PASSWORD_MAX_LENGTH } from '../kernel/password.ts';
import { Country, Day, Email, NamePart, PersonName, Token } from '../kernel/schemas.ts';

/* What `/api/auth/*` takes, by better-auth's names. */

const password = z.string().max(PASSWORD_MAX_LENGTH);

export const Password = z.object({ password });
const Credentials = z.object({ email: Email, password, rememberMe: z.boolean().default(true) });
/** `callbackURL` is where better-auth's client is to lead the browser. */
export const SignIn = Credentials.extend({ callbackURL: z.string().max(2048).optional() });
export const SignUp = Credentials.extend({
  name: PersonName,
  firstName: NamePart.optional(),
  lastName: NamePart.optional(),
  dateOfBirth: Day.optional(),
  billingCountry: Country.optional(),
  invitationToken: Token.optional(),
});
export const SendLink = z.object({ email: Email });
export const TokenOnly = z.object({ token: Token });
export const NewPassword = z.object({ token: Token, newPassword: password });
export const TotpCode = z.object({
  code: z
    .string()
    .trim()
    .regex(/^\d{6}$/, 'A code has six digits.'),
});
export const BackupCode = z.object({ code: z.string().trim().min(1).max(64) });
