import { createInterface } from 'node:readline/promises';
import type { Config } from '../config.ts';
import { sharedServer } from '../database.ts';
import { findPrincipal, promoteUser, registerAccount } from '../domain/account/index.ts';
import { createApiKey } from '../domain/api-key/index.ts';
import type { Deps } from '../domain/deps.ts';
import { badRequest, notFound } from '../kernel/errors.ts';
import type { PlatformRole } from '../kernel/permissions.ts';
import { Email, Name } from '../kernel/schemas.ts';
import { withDeps } from './with-deps.ts';

const NOWHERE = { ipAddress: null, userAgent: null, requestId: null };

function emailOf(text: string): string {
  const result = Email.safeParse(text);
  if (!result.success) throw badRequest('email', 'invalid_email', `${text} is not an e-mail address.`);
  return result.data;
}

function nameOf(text: string): string {
  const result = Name.safeParse(text);
  if (!result.success)
    throw badRequest('name', 'invalid_name', 'A name has 1 to 64 characters, not all unseen.');
  return result.data;
}

/** The first line of standard input: passwords do not belong on a command line, where others can read them. */
async function readPassword(): Promise<string> {
  if (process.stdin.isTTY) process.stderr.write('Password: ');
  const lines = createInterface({ input: process.stdin });
  for await (const line of lines) {
    lines.close();
    return line;
  }
  throw badRequest('password', 'no_password', 'Send the password as a line on standard input.');
}

export async function createUser(
  config: Config,
  options: { email: string; name: string; role?: PlatformRole },
): Promise<string> {
  const [email, name, password] = [emailOf(options.email), nameOf(options.name), await readPassword()];
  const task = async (deps: Deps) => {
    const account = await registerAccount(deps, NOWHERE, {
      email,
      name,
      password,
      emailVerified: true,
      byOperator: true,
    });
    if (options.role !== undefined) await promoteUser(deps, email, options.role);
    return `${email} has the account ${account.userId} with the role ${options.role ?? account.platformRole}.`;
  };
  return withDeps(config, task, sharedServer);
}

export async function promote(
  config: Config,
  options: { email: string; role: PlatformRole },
): Promise<string> {
  const email = emailOf(options.email);
  await withDeps(config, (deps) => promoteUser(deps, email, options.role));
  return `${email} has the role ${options.role}.`;
}

export function createKey(config: Config, options: { email: string; name: string }): Promise<string> {
  const [email, name] = [emailOf(options.email), nameOf(options.name).slice(0, 32)];
  return withDeps(config, async (deps) => {
    const principal = await findPrincipal(deps, email);
    if (principal.active === null) throw notFound('Organization');
    const { organizationId } = principal.active;
    const { key } = await createApiKey(deps, principal, { name, scope: 'user', organizationId });
    return key;
  });
}
