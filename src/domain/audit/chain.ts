import type { auditLog } from '../../db/schema/index.ts';
import { keyedHash } from '../../kernel/secrets.ts';

export type AuditEntry = typeof auditLog.$inferSelect;

/** All that a seal vouches for: whatever the row says, and its place in the chain. */
export type SealedRow = Omit<AuditEntry, 'seal' | 'chainId'>;

/** The end of a chain. Without rows it is 0 and empty. */
export type ChainHead = { seq: number; seal: string };

export const EMPTY_CHAIN: ChainHead = { seq: 0, seal: '' };

/** Which chain a row belongs to; the column `chain_id` is made by the same rule. */
export const chainOf = (row: { organizationId: string | null; userId: string }): string =>
  row.organizationId ?? row.userId;

/** jsonb keeps its keys in an order of its own, so all of them are put in one order here. */
function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(sorted);
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, inner]) => [key, sorted(inner)]);
}

/**
 * The seal of a row: HMAC-SHA-256 under the server's secret, over the seal before it and every column, so that nobody
 * who has the database and not the secret can write a row that fits. Hex.
 */
export function sealOf(secret: string, previousSeal: string, row: SealedRow): string {
  const { before, after, createdAt } = row;
  const content = [
    previousSeal,
    row.seq,
    row.id,
    row.organizationId,
    row.userId,
    row.userEmail,
    row.userRole,
    row.apiKeyId,
    row.ipAddress,
    row.requestId,
    row.action,
    row.resourceType,
    row.resourceId,
    row.resourceName,
    before === null ? null : [sorted(before)],
    after === null ? null : [sorted(after)],
    createdAt.toISOString(),
  ];
  return keyedHash(secret, 'audit chain 1', JSON.stringify(content));
}
