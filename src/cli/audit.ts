import type { Config } from '../config.ts';
import { chainIds, type Verdict, verifyChain } from '../domain/audit/index.ts';
import { badRequest } from '../kernel/errors.ts';
import { Id } from '../kernel/schemas.ts';
import { withDeps } from './with-deps.ts';

const FAULTS: Record<NonNullable<Verdict['reason']>, string> = {
  changed: 'is not as it was written, or was put in its place',
  missing: 'is missing',
  inserted: 'was inserted',
  head_mismatch: 'does not lead to the end that was kept of the chain',
};

function describe(id: string, { reason, firstBadSeq, rows, unchained, head }: Verdict): string {
  if (reason !== null) return `FAIL ${id}: row ${firstBadSeq} ${FAULTS[reason]}`;
  const before = unchained === 0 ? '' : `, ${unchained} of them from before there were chains`;
  return `ok   ${id}: ${rows} rows${before}, up to ${head.seal === '' ? 'no seal' : `the seal ${head.seal}`}`;
}

function chainNamed(text: string): string[] {
  const id = Id.safeParse(text);
  if (!id.success)
    throw badRequest('organization', 'invalid_id', `${text} is not the id of an organization.`);
  return [id.data];
}

/**
 * Checks the audit trail: of one organization, there or deleted, or all of it, with the rows of users outside any. It
 * takes the secret that the service has.
 *
 * @returns whether all is as it was written
 */
export function verifyAudit(
  config: Config,
  print: (line: string) => void,
  options: { organization?: string },
): Promise<boolean> {
  const named = options.organization === undefined ? undefined : chainNamed(options.organization);
  return withDeps(config, async (deps) => {
    const total = { chains: 0, rows: 0, bad: 0 };
    for await (const id of named ?? chainIds(deps)) {
      const verdict = await verifyChain(deps, id);
      total.chains += 1;
      total.rows += verdict.rows;
      if (!verdict.valid) total.bad += 1;
      if (!verdict.valid || named !== undefined) print(describe(id, verdict));
    }
    print(`${total.chains} chains, ${total.rows} rows as they were written, ${total.bad} chains broken`);
    return total.bad === 0;
  });
}
