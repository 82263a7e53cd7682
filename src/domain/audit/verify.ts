import { NIL } from 'uuid';
import type { Deps } from '../deps.ts';
import { type AuditEntry, type ChainHead, EMPTY_CHAIN, sealOf } from './chain.ts';
import { pagesOf } from './pages.ts';

/**
 * What is wrong with a chain. `changed`: the row does not say what was written at its place, be it that it was changed
 * or that another was put there. `missing`: there is no row at that place. `inserted`: a row stands where the chain has
 * no place. `head_mismatch`: the rows fit each other, and not the end of the chain that was kept apart. `unsealed`:
 * nothing else is wrong, but the chain begins with rows that have no seal. An upgrade from before there were chains
 * leaves such rows, and so does whoever writes the trail anew without the secret: in the database they look the same.
 */
export const AUDIT_FAULTS = ['changed', 'missing', 'inserted', 'head_mismatch', 'unsealed'] as const;
type Fault = { seq: number; reason: (typeof AUDIT_FAULTS)[number] };

export type Verdict = {
  valid: boolean;
  /** That were found to be as written, or are unchained. */
  rows: number;
  /** Without a seal; nothing in the database vouches for them. */
  unchained: number;
  /** The first place that is wrong, and how. */
  firstBadSeq: number | null;
  reason: Fault['reason'] | null;
  /** The end of the chain: whoever keeps it elsewhere can tell later whether rows were cut off together with it. */
  head: ChainHead;
};

type Ends = { head: ChainHead | undefined; lowest: number | null; highest: number | null };

/** One statement, so one moment: rows that are written from now on are not looked at. */
async function readEnds(deps: Deps, chainId: string): Promise<Ends> {
  const [row] = await deps.db.query(
    (sql) => sql<
      { seq: number | null; seal: string | null; lowest: number | null; highest: number | null }[]
    >`
      select seq, seal, (select min(seq) from audit_log where chain_id = asked.id) as lowest,
        (select max(seq) from audit_log where chain_id = asked.id) as highest
      from (select ${chainId}::uuid as id) asked left join audit_chains using (id)`,
  );
  const { seq = null, seal = null, lowest = null, highest = null } = row ?? {};
  return { head: seq === null || seal === null ? undefined : { seq, seal }, lowest, highest };
}

/** Reads a chain in its order; `at` is the last row that was right, `firstUnsealed` the first that nobody vouches for. */
function follower(secret: string, unsealedBefore: Date | undefined) {
  const at: ChainHead & { unchained: number; firstUnsealed?: number } = { ...EMPTY_CHAIN, unchained: 0 };

  function take(row: AuditEntry): Fault | undefined {
    const expected = at.seq + 1;
    if (row.seq !== expected) {
      return row.seq > expected ? { seq: expected, reason: 'missing' } : { seq: row.seq, reason: 'inserted' };
    }
    const isUnchained = row.seal === '' && at.seal === '';
    if (!isUnchained && sealOf(secret, at.seal, row) !== row.seal) return { seq: row.seq, reason: 'changed' };
    at.seq = row.seq;
    at.seal = row.seal;
    if (!isUnchained) return undefined;
    at.unchained += 1;
    if (unsealedBefore === undefined || row.createdAt >= unsealedBefore) at.firstUnsealed ??= row.seq;
    return undefined;
  }

  /** The first fault of a page that ends at the place `to`. */
  function takePage(rows: AuditEntry[], to: number): Fault | undefined {
    for (const row of rows) {
      const fault = take(row);
      if (fault !== undefined) return fault;
    }
    return at.seq < to ? { seq: at.seq + 1, reason: 'missing' } : undefined;
  }

  return { at, takePage };
}

/**
 * Checks every row of a chain (of an organization's id, or a user's) in constant memory, as of now.
 *
 * @param unsealedBefore up to when the operator vouches for rows that say they are older and have no seal
 */
export async function verifyChain(deps: Deps, chainId: string, unsealedBefore?: Date): Promise<Verdict> {
  const { head, lowest, highest } = await readEnds(deps, chainId);
  const end = head ?? EMPTY_CHAIN;
  const { at, takePage } = follower(deps.rules.secret, unsealedBefore);
  const verdict = (fault?: Fault): Verdict => ({
    valid: fault === undefined,
    rows: at.seq,
    unchained: at.unchained,
    firstBadSeq: fault?.seq ?? null,
    reason: fault?.reason ?? null,
    head: end,
  });
  if (lowest !== null && lowest < 1) return verdict({ seq: lowest, reason: 'inserted' });
  if (head === undefined && highest !== null) return verdict({ seq: 1, reason: 'head_mismatch' });
  for await (const { rows, to } of pagesOf(deps.db, chainId, end.seq)) {
    const fault = takePage(rows, to);
    if (fault !== undefined) return verdict(fault);
  }
  if (at.seal !== end.seal) return verdict({ seq: at.seq, reason: 'head_mismatch' });
  if (highest !== null && highest > end.seq) return verdict({ seq: end.seq + 1, reason: 'inserted' });
  return verdict(at.firstUnsealed === undefined ? undefined : { seq: at.firstUnsealed, reason: 'unsealed' });
}

const nextChain = (deps: Deps, after: string): Promise<{ id: string }[]> =>
  deps.db.query(
    (sql) => sql<{ id: string }[]>`
      select id from (
        (select id from audit_chains where id > ${after} order by id limit 1)
        union
        (select chain_id from audit_log where chain_id > ${after} order by chain_id limit 1)
      ) next order by id limit 1`,
  );

/** The ids of all chains, also of rows that lost the end of theirs; one statement each, whatever the trail's size. */
export async function* chainIds(deps: Deps): AsyncGenerator<string> {
  let [next] = await nextChain(deps, NIL);
  while (next !== undefined) {
    yield next.id;
    [next] = await nextChain(deps, next.id);
  }
}
