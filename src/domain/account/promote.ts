import { notFound } from '../../kernel/errors.ts';
import type { PlatformRole } from '../../kernel/permissions.ts';
import { record } from '../audit/index.ts';
import type { Deps } from '../deps.ts';

/** The operator's own way to give a platform role, from the command line. @throws NOT_FOUND for an unknown address. */
export function promoteUser(deps: Deps, email: string, role: PlatformRole): Promise<void> {
  return deps.db.transaction(async (tx) => {
    const [user] = await tx<{ id: string; role: PlatformRole }[]>`
      select id, role from users where email = ${email} for no key update`;
    if (user === undefined) throw notFound('User');
    const now = deps.now();
    await tx`update users set role = ${role}, updated_at = ${now} where id = ${user.id}`;
    const operator = { userId: user.id, email, ipAddress: null, userAgent: null, requestId: null };
    await record(tx, operator, now, {
      organizationId: null,
      role: 'operator',
      action: 'update',
      resourceType: 'user',
      resourceId: user.id,
      resourceName: email,
      before: { role: user.role },
      after: { role },
    });
  });
}
