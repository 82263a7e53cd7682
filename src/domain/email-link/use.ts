import type { Transaction } from '../../db/client.ts';
import { badRequest, conflict } from '../../kernel/errors.ts';
import { hashSecret } from '../../kernel/secrets.ts';
import { record } from '../audit/index.ts';
import type { Deps } from '../deps.ts';
import { enqueue } from '../job/index.ts';
import { requireStrong, setPassword } from '../password/index.ts';
import type { Origin } from '../principal.ts';
import { type LockedUser, lockUser } from '../user-lock.ts';
import type { Purpose } from './issue.ts';

/** Unknown, used, replaced and too old are one answer. */
const invalid = () =>
  badRequest('token', 'token_invalid', 'This link is wrong, used or too old. Ask for a new one.');

type OpenLink = { id: string; userId: string; purpose: Purpose; email: string };

/** What an open token stands for. @throws BAD_REQUEST */
async function readLink(deps: Deps, token: string, purposes: readonly Purpose[]): Promise<OpenLink> {
  const [link] = await deps.db.query(
    (sql) => sql<OpenLink[]>`
      select id, user_id, purpose, email from email_tokens
      where token_hash = ${hashSecret(token)} and expires_at > ${deps.now()}`,
  );
  if (link === undefined || !purposes.includes(link.purpose)) throw invalid();
  return link;
}

/**
 * Uses a link up, with the account held: of two who come with one token, one finds it gone. That of a
 * suspended account is refused.
 */
async function takeLink(tx: Transaction, link: OpenLink): Promise<LockedUser> {
  const user = await lockUser(tx, link.userId);
  const { count } = await tx`
    delete from email_tokens t using users u
    where t.id = ${link.id} and u.id = t.user_id and u.suspended_at is null`;
  if (count === 0) throw invalid();
  return user;
}

const auditAs = (origin: Origin, user: LockedUser) => ({ ...origin, userId: user.id, email: user.email });

async function confirmAddress(tx: Transaction, deps: Deps, origin: Origin, link: OpenLink, user: LockedUser) {
  if (user.email !== link.email) throw invalid(); // the account has another address by now
  await tx`update users set email_verified = true, updated_at = ${deps.now()} where id = ${user.id}`;
  await record(tx, auditAs(origin, user), deps.now(), {
    organizationId: null,
    action: 'verifyEmail',
    resourceType: 'user',
    resourceId: user.id,
    resourceName: user.email,
  });
}

async function changeAddress(tx: Transaction, deps: Deps, origin: Origin, link: OpenLink, user: LockedUser) {
  const now = deps.now();
  const taken = await tx`select 1 from users where email = ${link.email}`;
  if (taken.length > 0) throw conflict('email_taken', 'This e-mail address has an account.', 'token');
  await tx`update users set email = ${link.email}, email_verified = true, updated_at = ${now} where id = ${user.id}`;
  await tx`delete from email_tokens where user_id = ${user.id}`; // they prove the address before
  await record(tx, auditAs(origin, user), now, {
    organizationId: null,
    action: 'changeEmail',
    resourceType: 'user',
    resourceId: user.id,
    resourceName: link.email,
    before: { email: user.email },
    after: { email: link.email },
  });
  const notice = { kind: 'emailChanged' as const, at: now.toISOString(), newEmail: link.email };
  await enqueue(tx, 'mail.notice', { to: user.email, notice }, now);
}

/**
 * Takes the token of a verification, or of a change of address, and marks the address that it was mailed to verified.
 *
 * @returns the address
 * @throws BAD_REQUEST for a token that is unknown, used, replaced, too old, or for an address that the account no
 *   longer has; CONFLICT when another account has taken the new address meanwhile.
 */
export async function verifyEmail(deps: Deps, origin: Origin, token: string): Promise<string> {
  const link = await readLink(deps, token, ['verify', 'change']);
  await deps.db.transaction(async (tx) => {
    const user = await takeLink(tx, link);
    if (link.purpose === 'change') await changeAddress(tx, deps, origin, link, user);
    else await confirmAddress(tx, deps, origin, link, user);
  });
  return link.email;
}

/**
 * Ends all by which whoever made an account could still get at it, once the holder of its address has proved that it is
 * his: keys, devices and a second factor may be somebody else's.
 */
async function endAccessFromBefore(tx: Transaction, userId: string): Promise<void> {
  await tx`delete from api_keys where user_id = ${userId}`;
  await tx`delete from ssh_keys where user_id = ${userId}`;
  await tx`delete from tunnel_devices where user_id = ${userId}`;
  await tx`delete from tunnel_enrolments where approved_by = ${userId}`;
  await tx`delete from two_factors where user_id = ${userId}`;
  await tx`delete from recovery_codes where user_id = ${userId}`;
  await tx`update users set two_factor_enabled = false where id = ${userId}`;
}

/**
 * Chooses a new password by the token from a mail: every session ends. The mailbox being proved, so is the address. A
 * second factor stays in force, unless the address was not proved before: then it goes, and all keys and devices with it.
 *
 * @throws BAD_REQUEST for a weak password or a token as above.
 */
export async function resetPassword(
  deps: Deps,
  origin: Origin,
  token: string,
  newPassword: string,
): Promise<void> {
  requireStrong(newPassword, 'newPassword');
  const link = await readLink(deps, token, ['reset']);
  const hash = await deps.passwords.hash(newPassword);
  await deps.db.transaction(async (tx) => {
    const user = await takeLink(tx, link);
    if (user.email !== link.email) throw invalid();
    await setPassword(tx, deps, user, hash, null);
    if (!user.emailVerified) await endAccessFromBefore(tx, user.id);
    await tx`update users set email_verified = true, updated_at = ${deps.now()} where id = ${user.id}`;
    await record(tx, auditAs(origin, user), deps.now(), {
      organizationId: null,
      action: 'resetPassword',
      resourceType: 'user',
      resourceId: user.id,
      resourceName: user.email,
      ...(user.emailVerified ? {} : { before: { emailVerified: false }, after: { emailVerified: true } }),
    });
  });
}
