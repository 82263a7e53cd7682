import type { Reader } from '../../db/replica.ts';
import type { Deps } from '../deps.ts';
import type { OrganizationActor } from '../principal.ts';
import type { AuditEntry } from './chain.ts';
import { type AuditFilter, matching } from './filter.ts';

/** Places of a chain that one statement reads: a bound for memory and for its time, however few rows match. */
const PAGE = 500;

/**
 * The rows of a chain from the first to the place `last`, page by page and in their order. Between two pages no
 * connection is held, so the reader may take its time; rows below `last` never change meanwhile. A page can be empty.
 */
export async function* pagesOf(
  reader: Reader,
  chainId: string,
  last: number,
  filter: AuditFilter = {},
): AsyncGenerator<{ from: number; to: number; rows: AuditEntry[] }> {
  for (let from = 1; from <= last; from += PAGE) {
    const to = Math.min(from + PAGE - 1, last);
    const rows = await reader.query(
      (sql) => sql<AuditEntry[]>`
        select * from audit_log
        where chain_id = ${chainId} and seq between ${from} and ${to} ${matching(sql, filter)}
        order by seq`,
    );
    yield { from, to, rows };
  }
}

/** The trail of an organization as it is now, oldest first, in pages. */
export async function* exportAuditLog(
  deps: Deps,
  { organizationId }: OrganizationActor,
  filter: AuditFilter,
): AsyncGenerator<AuditEntry[]> {
  const [newest] = await deps.reader.query(
    (sql) => sql<{ seq: number }[]>`
      select seq from audit_log where chain_id = ${organizationId} order by seq desc limit 1`,
  );
  for await (const { rows } of pagesOf(deps.reader, organizationId, newest?.seq ?? 0, filter)) yield rows;
}
