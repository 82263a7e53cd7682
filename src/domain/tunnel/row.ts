import type { Sql } from '../../db/client.ts';
import type { tunnelAllocations, tunnelDevices, tunnelEnrolments } from '../../db/schema/index.ts';
import { keyedHash } from '../../kernel/secrets.ts';
import type { Rules } from '../deps.ts';

/** A device as it is shown: everything but its token. */
export type TunnelDevice = Omit<typeof tunnelDevices.$inferSelect, 'tokenHash'>;

/** The columns of a `TunnelDevice`. */
export const shown = (sql: Sql) => sql`
  id, user_id, organization_id, name, ip_address, last_seen_at, created_at`;

/** An open public port. */
export type TunnelAllocation = typeof tunnelAllocations.$inferSelect;

/** What is shown to whoever has a device's user code. */
export type TunnelRequest = Pick<
  typeof tunnelEnrolments.$inferSelect,
  'name' | 'ipAddress' | 'createdAt' | 'expiresAt'
> & { deviceId: string };

/** The columns of a `TunnelRequest`. */
export const requested = (sql: Sql) => sql`id as device_id, name, ip_address, created_at, expires_at`;

/** As a user code is stored. */
export const userCodeHash = (rules: Rules, code: string): string =>
  keyedHash(rules.secret, 'tunnel user code', code);
