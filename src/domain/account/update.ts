import type { Transaction } from '../../db/client.ts';
import { ageOn, dateOfBirthProblem, minimumAge } from '../../kernel/ages.ts';
import { badRequest, preconditionFailed } from '../../kernel/errors.ts';
import { type IfMatch, requireVersion } from '../../kernel/versions.ts';
import type { UserSettings } from '../../kernel/vocabulary.ts';
import { LINKS_TO_ADDRESS, requireAttempt } from '../attempts.ts';
import { record } from '../audit/index.ts';
import type { Deps, RateLimiter } from '../deps.ts';
import { issueLink } from '../email-link/index.ts';
import { enqueue } from '../job/index.ts';
import { requireCurrentPassword, requireSameHash, requireStrong, setPassword } from '../password/index.ts';
import type { Principal } from '../principal.ts';
import { withDefaults } from '../settings/index.ts';
import { lockUser } from '../user-lock.ts';
import { emailTaken } from './insert.ts';
import { type Account, type ProfileRow, profileColumns, toAccount } from './profile.ts';
import { requireLastingEmail } from './rules.ts';

/** Columns that their holder writes. Omitted keeps, null clears. */
const PLAIN = [
  'firstName',
  'lastName',
  'displayName',
  'image',
  'dateOfBirth',
  'billingLine1',
  'billingCity',
  'billingState',
  'billingZip',
  'billingCountry',
] as const;

/** By which an ETag tells one state from another. */
export const ACCOUNT_FIELDS: readonly string[] = [...PLAIN, 'settings'];

export type AccountChanges = { [K in (typeof PLAIN)[number]]?: Account[K] | undefined } & {
  /** Merged into what is there; null takes one away. */
  settings?: { [K in keyof UserSettings]?: UserSettings[K] | null | undefined } | undefined;
  password?: string | undefined;
  /** Takes effect when its link is opened. */
  email?: string | undefined;
  /** Needed for a new password or address. */
  currentPassword?: string | undefined;
};

async function readRow(tx: Transaction, deps: Deps, userId: string): Promise<ProfileRow> {
  const [row] = await tx<ProfileRow[]>`
    select ${profileColumns(tx, deps.now())} from users u where u.id = ${userId}`;
  if (row === undefined) throw new Error('The row of a user that is held is gone.');
  return row;
}

/** A date of birth that can be, is not locked, and is old enough for the country. */
function requireDateOfBirth(row: ProfileRow, changes: AccountChanges, now: Date): void {
  const { dateOfBirth } = changes;
  if (dateOfBirth === undefined || dateOfBirth === row.dateOfBirth) return;
  if (row.identityVerifiedAt !== null) {
    throw preconditionFailed(
      'date_of_birth_locked',
      'Your identity was verified: the date of birth stays as it is.',
    );
  }
  if (dateOfBirth === null) return;
  const problem = dateOfBirthProblem(dateOfBirth, now);
  if (problem !== undefined) throw badRequest('dateOfBirth', 'invalid_date_of_birth', problem);
  const country = changes.billingCountry === undefined ? row.billingCountry : changes.billingCountry;
  const minimum = minimumAge(country, withDefaults(row.storedSettings ?? undefined));
  if (ageOn(dateOfBirth, now) < minimum) {
    throw badRequest('dateOfBirth', 'too_young', `An account can be had from the age of ${minimum}.`);
  }
}

function mergeSettings(before: UserSettings, changes: AccountChanges['settings'] = {}): UserSettings {
  const entries = Object.entries({ ...before, ...changes });
  return Object.fromEntries(entries.filter(([, value]) => value !== null && value !== undefined));
}

/** Opens the link that makes `email` the account's address, and tells the present one. */
async function askForAddress(
  tx: Transaction,
  deps: Deps,
  user: { id: string; email: string },
  email: string,
) {
  const taken = await tx`select 1 from users where email = ${email}`;
  if (taken.length > 0) throw emailTaken();
  await issueLink(tx, deps, { userId: user.id, purpose: 'change', email });
  const now = deps.now();
  const notice = { kind: 'emailChangeAsked' as const, at: now.toISOString(), newEmail: email };
  await enqueue(tx, 'mail.notice', { to: user.email, notice }, now);
}

/**
 * Changes the caller's own account. A new password ends all other sessions; a new address is asked for confirmation
 * first, and the present one told.
 *
 * @throws BAD_REQUEST for a wrong or missing current password, a weak new one, a disposable address where none is taken,
 *   and a date of birth that cannot be or is too recent; PRECONDITION_FAILED for a date of birth that is locked, and when the
 *   account has changed (`ifMatch`); CONFLICT for an address that has an account; TOO_MANY_REQUESTS, by `limiter`, for an
 *   address that was sent too many links.
 */
export async function updateAccount(
  deps: Deps,
  principal: Principal,
  changes: AccountChanges,
  limiter: RateLimiter,
  ifMatch?: IfMatch,
): Promise<Account> {
  const { userId } = principal;
  const { password } = changes;
  const email = changes.email === principal.email ? undefined : changes.email;
  const sensitive = password !== undefined || email !== undefined;
  if (password !== undefined) requireStrong(password);
  const currentHash = sensitive
    ? await requireCurrentPassword(deps, userId, changes.currentPassword, 'currentPassword')
    : undefined;
  if (email !== undefined) await requireAttempt(limiter, LINKS_TO_ADDRESS, `change ${email}`);
  const newHash = password === undefined ? undefined : await deps.passwords.hash(password);
  return deps.db.transaction(async (tx) => {
    const user = await lockUser(tx, userId);
    if (currentHash !== undefined) await requireSameHash(tx, userId, currentHash, 'currentPassword');
    const row = await readRow(tx, deps, userId);
    requireVersion(ifMatch, ACCOUNT_FIELDS, row);
    const now = deps.now();
    requireDateOfBirth(row, changes, now);

    const changed = PLAIN.filter((field) => changes[field] !== undefined && changes[field] !== row[field]);
    const after = Object.fromEntries(changed.map((field) => [field, changes[field]]));
    const { firstName, lastName } = { ...row, ...after };
    const name = [firstName, lastName].filter((part) => part !== '').join(' ');
    const isRenamed = (changed.includes('firstName') || changed.includes('lastName')) && name !== '';
    const settings = mergeSettings(row.settings, changes.settings);
    const update = { ...after, ...(isRenamed ? { name } : {}), settings: tx.json(settings), updatedAt: now };
    await tx`update users set ${tx(update)} where id = ${userId}`;
    if (newHash !== undefined) await setPassword(tx, deps, user, newHash, principal.sessionId);
    if (email !== undefined) {
      requireLastingEmail(withDefaults(row.storedSettings ?? undefined), email);
      await askForAddress(tx, deps, user, email);
    }
    await record(tx, principal, now, {
      organizationId: null,
      action: 'update',
      resourceType: 'user',
      resourceId: userId,
      resourceName: user.email,
      before: Object.fromEntries(changed.map((field) => [field, row[field]])),
      after: {
        ...after,
        ...(changes.settings === undefined ? {} : { settings }),
        ...(newHash === undefined ? {} : { passwordChanged: true }),
        ...(email === undefined ? {} : { askedForEmail: email }),
      },
    });
    return toAccount(deps, await readRow(tx, deps, userId));
  });
}
