import type { Sql, Transaction } from '../../db/client.ts';
import { badRequest, conflict } from '../../kernel/errors.ts';
import { newId } from '../../kernel/ids.ts';
import { passwordProblem } from '../../kernel/password.ts';
import type { PlatformRole } from '../../kernel/permissions.ts';
import { record } from '../audit/index.ts';
import type { Deps } from '../deps.ts';
import { joinByToken } from '../invitation/index.ts';
import { foundOrganization } from '../organization/index.ts';
import type { Origin } from '../principal.ts';
import { lockUser } from '../user-lock.ts';

/** `email` is trimmed and lower-case. With `invitationToken` the account joins that organization and gets none of its own. */
export type Registration = {
  email: string;
  password: string;
  name: string;
  firstName?: string | undefined;
  lastName?: string | undefined;
  invitationToken?: string | undefined;
  /** Only for accounts that an operator makes: nobody else vouches for an address unseen. */
  emailVerified?: boolean;
};

/** Serialises the registrations of an empty installation, so that one of them becomes the first account. */
const FIRST_ACCOUNT_LOCK = 7_263_514_002;

const hasUsers = async (sql: Sql): Promise<boolean> => (await sql`select 1 from users limit 1`).length > 0;

async function roleOfNext(tx: Transaction): Promise<PlatformRole> {
  if (await hasUsers(tx)) return 'user';
  await tx`select pg_advisory_xact_lock(${FIRST_ACCOUNT_LOCK})`;
  return (await hasUsers(tx)) ? 'user' : 'rootAdmin';
}

function requirePassword(password: string): void {
  const problem = passwordProblem(password);
  if (problem !== undefined) throw badRequest('password', 'weak_password', problem);
}

/**
 * Makes an account, with a personal organization or by an invitation, in one transaction. The first account of an
 * installation is its rootAdmin.
 *
 * @throws BAD_REQUEST for a weak password, CONFLICT when the address has an account, and what an invitation throws.
 */
export async function registerAccount(
  deps: Deps,
  origin: Origin,
  input: Registration,
): Promise<{ userId: string; platformRole: PlatformRole }> {
  requirePassword(input.password);
  const password = await deps.passwords.hash(input.password);
  return deps.db.transaction(async (tx) => {
    const role = await roleOfNext(tx);
    const userId = await addAccount(tx, deps, origin, input, { role, password });
    return { userId, platformRole: role };
  });
}

/** `password` is the hash of the one in `input`. @returns the account's id. */
async function addAccount(
  tx: Transaction,
  deps: Deps,
  origin: Origin,
  input: Registration,
  { role, password }: { role: PlatformRole; password: string },
): Promise<string> {
  const now = deps.now();
  const user = {
    id: newId(),
    email: input.email,
    emailVerified: input.emailVerified ?? false,
    name: input.name,
    firstName: input.firstName ?? '',
    lastName: input.lastName ?? '',
    role,
    createdAt: now,
    updatedAt: now,
  };
  const inserted = await tx`insert into users ${tx(user)} on conflict (email) do nothing returning id`;
  if (inserted.length === 0) throw conflict('email_taken', 'This e-mail address has an account.', 'email');
  await tx`insert into accounts ${tx({
    id: newId(),
    accountId: user.id,
    providerId: 'credential',
    userId: user.id,
    password,
    createdAt: now,
    updatedAt: now,
  })}`;
  const actor = { ...origin, userId: user.id, email: user.email };
  await record(tx, actor, now, {
    organizationId: null,
    role,
    action: 'create',
    resourceType: 'user',
    resourceId: user.id,
    resourceName: user.email,
    after: { email: user.email, name: user.name, role, emailVerified: user.emailVerified },
  });
  if (input.invitationToken === undefined) {
    await foundOrganization(tx, deps, actor, { name: personalName(input.name) });
  } else {
    await joinByToken(tx, deps, actor, await lockUser(tx, user.id), input.invitationToken);
  }
  return user.id;
}

/** At most 64 characters, as every name; a pair of surrogates that the cut divides goes as a whole. */
const personalName = (name: string): string =>
  `${name.slice(0, 49).replace(/[\ud800-\udbff]$/, '')}'s organization`;

/** On an installation without accounts, makes the operator's. @returns whether it did. */
export async function ensureRootAdmin(
  deps: Deps,
  root: { email: string; password: string },
): Promise<boolean> {
  if (await deps.db.query(hasUsers)) return false;
  requirePassword(root.password);
  const password = await deps.passwords.hash(root.password);
  return deps.db.transaction(async (tx) => {
    // Another process that starts now, or a first sign-up, may have been quicker.
    const role = await roleOfNext(tx);
    if (role !== 'rootAdmin') return false;
    const origin: Origin = { ipAddress: null, userAgent: null, requestId: null };
    await addAccount(tx, deps, origin, { ...root, name: 'Root', emailVerified: true }, { role, password });
    return true;
  });
}
