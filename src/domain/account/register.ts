import type { Sql, Transaction } from '../../db/client.ts';
import { dateOfBirthProblem } from '../../kernel/ages.ts';
import { badRequest } from '../../kernel/errors.ts';
import { newId } from '../../kernel/ids.ts';
import type { PlatformRole } from '../../kernel/permissions.ts';
import { record } from '../audit/index.ts';
import type { Deps } from '../deps.ts';
import { issueLink } from '../email-link/index.ts';
import { joinByToken } from '../invitation/index.ts';
import { foundOrganization } from '../organization/index.ts';
import { requireStrong } from '../password/index.ts';
import type { Origin } from '../principal.ts';
import { readSettings } from '../settings/index.ts';
import { lockUser } from '../user-lock.ts';
import { emailTaken, insertUser } from './insert.ts';
import { requireAdmission } from './rules.ts';

/** `email` is canonical. With `invitationToken` the account joins that organization and gets none of its own. */
export type Registration = {
  email: string;
  password: string;
  name: string;
  firstName?: string | undefined;
  lastName?: string | undefined;
  /** YYYY-MM-DD, a day that the calendar has. */
  dateOfBirth?: string | undefined;
  /** ISO 3166-1 alpha-2. */
  billingCountry?: string | undefined;
  invitationToken?: string | undefined;
  /** Made by an operator, whom the rules of registration do not bind. */
  byOperator?: boolean;
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

function requirePossible(dateOfBirth: string, now: Date): void {
  const problem = dateOfBirthProblem(dateOfBirth, now);
  if (problem !== undefined) throw badRequest('dateOfBirth', 'invalid_date_of_birth', problem);
}

/** What a registration meets: the rules, whether it may be the first account, and whether the address is free. */
const readStanding = (deps: Deps, email: string) =>
  deps.db.query(async (sql) => ({
    settings: await readSettings(sql),
    isFirst: !(await hasUsers(sql)),
    isTaken: (await sql`select 1 from users where email = ${email}`).length > 0,
  }));

/**
 * Makes an account, with a personal organization or by an invitation, in one transaction. The first account of an
 * installation is its rootAdmin. The rules of registration bind everybody but the operator and that first account; an
 * invitation does not lift them. What they refuse costs no password hash.
 *
 * @throws what `requireAdmission` throws, BAD_REQUEST for a weak password or a date of birth that cannot be, CONFLICT
 *   when the address has an account, and what an invitation throws.
 */
export async function registerAccount(
  deps: Deps,
  origin: Origin,
  input: Registration,
): Promise<{ userId: string; platformRole: PlatformRole }> {
  const { email, dateOfBirth = null, billingCountry: country = null } = input;
  if (dateOfBirth !== null) requirePossible(dateOfBirth, deps.now());
  const { settings, isFirst, isTaken } = await readStanding(deps, email);
  const admit = () => requireAdmission(settings, { email, dateOfBirth, country }, deps.now());
  if (!isFirst && input.byOperator !== true) admit();
  requireStrong(input.password);
  if (isTaken) throw emailTaken();
  const password = await deps.passwords.hash(input.password);
  return deps.db.transaction(async (tx) => {
    const role = await roleOfNext(tx);
    if (isFirst && role !== 'rootAdmin' && input.byOperator !== true) admit(); // somebody else was quicker
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
    dateOfBirth: input.dateOfBirth ?? null,
    billingCountry: input.billingCountry ?? null,
    role,
    createdAt: now,
    updatedAt: now,
  };
  await insertUser(tx, user, password);
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
  if (!user.emailVerified) {
    await issueLink(tx, deps, { userId: user.id, purpose: 'verify', email: user.email });
  }
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
  requireStrong(root.password);
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
