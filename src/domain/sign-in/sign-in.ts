import { unauthorized } from '../../kernel/errors.ts';
import type { Deps } from '../deps.ts';
import type { Origin } from '../principal.ts';
import { type OpenedSession, openSession } from '../session/index.ts';
import { type SecondFactor, spendCode } from '../two-factor/index.ts';
import { isOfPassword, openChallenge, sealChallenge } from './challenge.ts';
import { findByEmail, lockById, requireNotSuspended, type SignedInUser, signedIn } from './user.ts';

/** `email` is canonical. A session that is not `remembered` ends with the browser, or after a day. */
export type Credentials = { email: string; password: string; remembered: boolean };

export type SignedIn = { session: OpenedSession; user: SignedInUser };

/** One text for an unknown address and a wrong password. */
const refused = () => unauthorized('invalid_email_or_password', 'Invalid email or password');

/**
 * Signs in by e-mail and password. An unknown address costs the same work as a wrong password. Where the account has
 * a second factor the answer is a challenge instead, which `giveSecondFactor` takes.
 *
 * @throws UNAUTHORIZED alike for an unknown address and a wrong password; FORBIDDEN for a suspended account, to who
 *   knows its password; SERVICE_UNAVAILABLE when too many sign in at once.
 */
export async function signIn(
  deps: Deps,
  origin: Origin,
  { email, password, remembered }: Credentials,
): Promise<SignedIn | { challenge: string }> {
  const found = await deps.db.query((sql) => findByEmail(sql, email));
  const isRight = await deps.passwords.verify(found?.password, password);
  if (found === undefined || !isRight) throw refused();
  requireNotSuspended(found);
  if (found.twoFactorEnabled) return { challenge: sealChallenge(deps, found, remembered) };
  return deps.db.transaction(async (tx) => {
    const user = await lockById(tx, found.id);
    if (user === undefined || user.password !== found.password || user.twoFactorEnabled) throw refused();
    requireNotSuspended(user);
    const session = await openSession(tx, deps, origin, user, { remembered, method: 'password' });
    return { session, user: signedIn(user) };
  });
}

/**
 * Ends a sign-in that asked for a second factor. A code is accepted once.
 *
 * @throws UNAUTHORIZED for a challenge that is too old or whose password was changed since, and for a wrong code;
 *   FORBIDDEN for an account that was suspended meanwhile.
 */
export function giveSecondFactor(
  deps: Deps,
  origin: Origin,
  sealed: string | undefined,
  factor: SecondFactor,
): Promise<SignedIn> {
  const challenge = openChallenge(deps, sealed);
  return deps.db.transaction(async (tx) => {
    const user = await lockById(tx, challenge.userId);
    if (user === undefined || !user.twoFactorEnabled || !isOfPassword(challenge, user)) throw refused();
    requireNotSuspended(user);
    await spendCode(tx, deps, user, factor);
    const session = await openSession(tx, deps, origin, user, {
      remembered: challenge.remembered,
      method: factor.kind,
    });
    return { session, user: signedIn(user) };
  });
}

/** Whose second factor a challenge asks for, so that attempts can be counted. @throws UNAUTHORIZED as above. */
export const challengedUser = (deps: Deps, sealed: string | undefined): string =>
  openChallenge(deps, sealed).userId;

/** Signs in who has just registered. */
export function signInRegistered(
  deps: Deps,
  origin: Origin,
  userId: string,
  remembered: boolean,
): Promise<SignedIn> {
  return deps.db.transaction(async (tx) => {
    const user = await lockById(tx, userId);
    if (user === undefined) throw refused();
    requireNotSuspended(user);
    const session = await openSession(tx, deps, origin, user, { remembered, method: 'password' });
    return { session, user: signedIn(user) };
  });
}

/**
 * Whether somebody has signed in to this address's account from there before (`client` as `clientOf` names it). Who
 * guesses from elsewhere must not keep its holder out.
 */
export async function isKnownClient(deps: Deps, email: string, client: string): Promise<boolean> {
  const rows = await deps.db.query(
    (sql) => sql`
      select 1 from users u join known_clients k on k.user_id = u.id
      where u.email = ${email} and k.client = ${client}`,
  );
  return rows.length > 0;
}
