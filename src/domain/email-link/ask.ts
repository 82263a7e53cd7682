import { record } from '../audit/index.ts';
import type { Deps } from '../deps.ts';
import { enqueue, type JobPayloads } from '../job/index.ts';
import type { Origin } from '../principal.ts';
import { issueLink } from './issue.ts';

/**
 * Asks for a link to an address, whoever has it. Whether anybody does is found out later, by a job: neither the answer
 * nor its time tells.
 */
export async function askForLink(
  deps: Deps,
  origin: Origin,
  email: string,
  purpose: 'verify' | 'reset',
): Promise<void> {
  const { ipAddress } = origin;
  await deps.db.transaction((tx) =>
    enqueue(tx, 'account.sendLink', { email, purpose, ipAddress }, deps.now()),
  );
}

/** Opens the link that was asked for, if the address has an account that can use it. */
export function sendLink(deps: Deps, payload: JobPayloads['account.sendLink']): Promise<void> {
  const { email, purpose, ipAddress } = payload;
  return deps.db.transaction(async (tx) => {
    const [user] = await tx<{ id: string; emailVerified: boolean; suspended: boolean }[]>`
      select id, email_verified, suspended_at is not null as suspended from users
      where email = ${email} for no key update`;
    if (user === undefined || user.suspended || (purpose === 'verify' && user.emailVerified)) return;
    await issueLink(tx, deps, { userId: user.id, purpose, email });
    const asker = { userId: user.id, email, ipAddress, userAgent: null, requestId: null };
    await record(tx, asker, deps.now(), {
      organizationId: null,
      action: purpose === 'reset' ? 'askForPasswordReset' : 'askForVerification',
      resourceType: 'user',
      resourceId: user.id,
      resourceName: email,
    });
  });
}
