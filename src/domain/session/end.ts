import type { Transaction } from '../../db/client.ts';
import { notFound, preconditionFailed } from '../../kernel/errors.ts';
import { record } from '../audit/index.ts';
import type { Deps } from '../deps.ts';
import type { Principal } from '../principal.ts';

/** Ends all sessions of a user but one. @returns how many */
export async function endSessions(
  tx: Transaction,
  userId: string,
  keepSessionId: string | null,
): Promise<number> {
  const { count } = await tx`
    delete from sessions where user_id = ${userId} and id is distinct from ${keepSessionId}`;
  return count;
}

/** Ends one of the caller's sessions at once. @throws NOT_FOUND for any other id. */
export function revokeSession(deps: Deps, principal: Principal, sessionId: string): Promise<void> {
  return deps.db.transaction(async (tx) => {
    const { count } = await tx`
      delete from sessions where id = ${sessionId} and user_id = ${principal.userId}`;
    if (count === 0) throw notFound('Session');
    await record(tx, principal, deps.now(), {
      organizationId: null,
      action: 'delete',
      resourceType: 'session',
      resourceId: sessionId,
    });
  });
}

/** Ends the caller's own session. @throws PRECONDITION_FAILED for who calls with an API key. */
export function logout(deps: Deps, principal: Principal): Promise<void> {
  const { sessionId } = principal;
  if (sessionId === null) {
    throw preconditionFailed('no_session', 'You are calling with an API key, not with a session.');
  }
  return deps.db.transaction(async (tx) => {
    await tx`delete from sessions where id = ${sessionId}`;
    await record(tx, principal, deps.now(), {
      organizationId: null,
      action: 'logout',
      resourceType: 'session',
      resourceId: sessionId,
    });
  });
}

/** Ends every session of the caller, this one too. @returns how many there were */
export function logoutAll(deps: Deps, principal: Principal): Promise<number> {
  return deps.db.transaction(async (tx) => {
    const ended = await endSessions(tx, principal.userId, null);
    await record(tx, principal, deps.now(), {
      organizationId: null,
      action: 'logoutAll',
      resourceType: 'session',
      resourceId: principal.userId,
      after: { ended },
    });
    return ended;
  });
}
