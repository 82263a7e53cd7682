import { MAX } from 'uuid';
import type { sessions } from '../../db/schema/index.ts';
import { notFound } from '../../kernel/errors.ts';
import { canOnPlatform } from '../../kernel/permissions.ts';
import type { Deps } from '../deps.ts';
import type { Principal } from '../principal.ts';

/** A session as its holder sees it: never its token. */
export type Session = Pick<
  typeof sessions.$inferSelect,
  'id' | 'userId' | 'ipAddress' | 'userAgent' | 'lastSeenAt' | 'createdAt' | 'updatedAt' | 'expiresAt'
> & { current: boolean };

/**
 * Sessions that are open, newest first: the caller's, or those of `userId` for platform staff.
 *
 * @throws NOT_FOUND alike for a missing account and for one that the caller may not see.
 */
export async function listSessions(
  deps: Deps,
  principal: Principal,
  userId: string | undefined,
  page: { limit: number; cursor: string | null },
): Promise<Session[]> {
  const id = userId ?? principal.userId;
  if (id !== principal.userId) {
    const mayReadAny = canOnPlatform(principal.platformRole, 'user.readAny');
    const found = mayReadAny ? await deps.db.query((sql) => sql`select 1 from users where id = ${id}`) : [];
    if (found.length === 0) throw notFound('User');
  }
  return deps.db.query(
    (sql) => sql<Session[]>`
      select id, user_id, ip_address, user_agent, last_seen_at, created_at, updated_at, expires_at,
        (id = ${principal.sessionId}) is true as current
      from sessions
      where user_id = ${id} and expires_at > ${deps.now()}
        and id < ${page.cursor ?? MAX}
      order by id desc limit ${page.limit}`,
  );
}
