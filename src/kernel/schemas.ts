import { z } from 'zod';
import { isCountry } from './countries.ts';
import { canonicalEmail, EMAIL_MAX_LENGTH, EMAIL_PATTERN } from './email.ts';
import { NAME_MAX_LENGTH } from './lengths.ts';
import { canonicalNetwork } from './networks.ts';
import { isPermission } from './permissions.ts';

/* What every input is made of. Text has a maximum length; ids are checked; addresses are trimmed and made canonical. */

/**
 * For text that is made canonical before a pattern is asked of it: what is sent need not match, so the document says no
 * pattern, or clients would refuse what we take.
 */
export const NO_PATTERN = { pattern: undefined };

export const Id = z.uuid().toLowerCase().meta({ example: '019a9c1e-5b7a-7cc3-9d2e-0f4a8b6c1d20' });
/** An account by its id, or the caller's own. */
export const UserOrMe = z.union([z.literal('me'), Id], 'Send the id of an account, or me.');
export const Email = z
  .string()
  .trim()
  .max(EMAIL_MAX_LENGTH)
  .overwrite(canonicalEmail)
  .max(EMAIL_MAX_LENGTH)
  .regex(EMAIL_PATTERN, 'This is not an e-mail address.')
  .meta({ ...NO_PATTERN, format: 'email', example: 'ada@example.org' });
/** An account by its id or by its address, or the caller's own. */
export const UserOrEmail = z.union(
  [z.literal('me'), Id, Email],
  'Send the id or the e-mail address of an account, or me.',
);
/** Some letter, digit, punctuation or symbol; those left out belong to these and show as nothing, as Hangul's fillers do. */
const VISIBLE = /(?![\p{Default_Ignorable_Code_Point}\u2800])[\p{L}\p{N}\p{P}\p{S}]/u;
/** Names stand in mails and logs, so they are one line; and people tell things by them, so there is something to see. */
const line = (min: number, max: number) =>
  z
    .string()
    .trim()
    .min(min)
    .max(max)
    .refine((text) => !/\p{Cc}/u.test(text), 'A name has no control characters.')
    .refine((text) => text === '' || VISIBLE.test(text), 'This needs a character that can be seen.');
export const Name = line(1, NAME_MAX_LENGTH);
/** A person's full name: at least room for a first and a last name with a space between them. */
export const PersonName = line(1, 129);
/** A first or last name, which may be left empty. */
export const NamePart = line(0, 64);
/** Any other text of one line, which is not empty. */
export const TextLine = (max: number) => line(1, max);
const isLocale = (text: string): boolean => {
  try {
    return Intl.getCanonicalLocales(text).length === 1;
  } catch {
    return false; // the one way that Intl has to say no
  }
};
const isTimeZone = (text: string): boolean => {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
};
/** BCP 47. */
export const Locale = z
  .string()
  .max(35)
  .refine(isLocale, 'This is not a language tag, such as de-AT.')
  .meta({ example: 'de-AT' });
/** IANA name. */
export const TimeZone = z
  .string()
  .max(64)
  .refine(isTimeZone, 'This is not a time zone, such as Europe/Vienna.')
  .meta({ example: 'Europe/Vienna' });
/** A token from a mail: 256 bits in base64url. */
export const Token = z.string().min(20).max(128);
/** An address or a range in CIDR notation, in the one way to write it. */
export const Network = z
  .string()
  .trim()
  .max(64)
  .transform((text, ctx) => {
    const network = canonicalNetwork(text);
    if (network !== null) return network;
    ctx.addIssue({ code: 'custom', message: 'This is no address, nor a range such as 10.0.0.0/8.' });
    return z.NEVER;
  })
  .meta({ example: '10.0.0.0/8' });
export const PermissionText = z
  .string()
  .max(64)
  .refine(isPermission, 'This permission does not exist.')
  .meta({ id: 'Permission', description: 'resource:action', example: 'invitation:create' });
export const COUNTRY_PROBLEM =
  'A country is written as the two upper-case letters of ISO 3166-1, such as IE.';
export const Country = z.string().refine(isCountry, COUNTRY_PROBLEM).meta({
  id: 'Country',
  description: 'ISO 3166-1 alpha-2, upper-case.',
  pattern: '^[A-Z]{2}$',
  example: 'IE',
});
/** A day that the calendar has. For a date of birth see also `dateOfBirthProblem`. */
export const Day = z.iso.date('Write an existing day as YYYY-MM-DD.').meta({ example: '1990-04-23' });
