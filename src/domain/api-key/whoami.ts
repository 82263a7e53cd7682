import {
  effectivePermissions,
  type Permission,
  type PlatformRole,
  type Role,
} from '../../kernel/permissions.ts';
import type { Deps } from '../deps.ts';
import type { Principal } from '../principal.ts';
import type { ApiKey } from './list.ts';

/** Who a call is by, and what it may do where it names no organization. What is of a key is null for a session. */
export type Caller = {
  userId: string;
  email: string;
  platformRole: PlatformRole;
  organizationId: string | null;
  role: Role | null;
  permissions: Permission[];
  apiKeyId: string | null;
} & { [K in 'name' | 'scope' | 'expiresAt' | 'remaining']: ApiKey[K] | null };

const NO_KEY = { name: null, scope: null, expiresAt: null, remaining: null };

/** The caller as the service sees him. */
export async function describeCaller(deps: Deps, principal: Principal): Promise<Caller> {
  const { userId, email, platformRole, active, key } = principal;
  const [described = NO_KEY] =
    key === null
      ? []
      : await deps.db.query(
          (sql) => sql<Pick<ApiKey, 'name' | 'scope' | 'expiresAt' | 'remaining'>[]>`
            select name, scope, expires_at, remaining from api_keys where id = ${key.id}`,
        );
  return {
    userId,
    email,
    platformRole,
    organizationId: active?.organizationId ?? null,
    role: active?.role ?? null,
    permissions: active === null ? [] : effectivePermissions(active.grant, key?.permissions),
    apiKeyId: key?.id ?? null,
    ...described,
  };
}
