import { z } from 'zod';
import { isPermission } from './permissions.ts';

/* What every input is made of. Text has a maximum length; ids are checked; addresses are trimmed and lower-cased. */

export const Id = z.uuid().toLowerCase().meta({ example: '019a9c1e-5b7a-7cc3-9d2e-0f4a8b6c1d20' });
export const Email = z
  .string()
  .trim()
  .toLowerCase()
  .max(254)
  .regex(z.regexes.email, 'This is not an e-mail address.')
  .meta({ format: 'email', example: 'ada@example.org' });
/** Names stand in mails and logs, so they are one line. */
const line = (min: number, max: number) =>
  z
    .string()
    .trim()
    .min(min)
    .max(max)
    .refine((text) => !/\p{Cc}/u.test(text), 'A name has no control characters.');
export const Name = line(1, 64);
/** A person's full name. */
export const PersonName = line(1, 128);
/** A first or last name, which may be left empty. */
export const NamePart = line(0, 64);
/** A token from a mail: 256 bits in base64url. */
export const Token = z.string().min(20).max(128);
export const PermissionText = z
  .string()
  .max(64)
  .refine(isPermission, 'This permission does not exist.')
  .meta({ id: 'Permission', description: 'resource:action', example: 'invitation:create' });
