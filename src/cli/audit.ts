import { z } from 'zod';
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
  unsealed: 'has no seal: it is from before there were chains, or was written without the secret',
};

function describe(id: string, { reason, firstBadSeq, rows, unchained, head }: Verdict): string {
  if (reason !== null) return `FAIL ${id}: row ${firstBadSeq} ${FAULTS[reason]}`;
  if (rows === 0)
    return `FAIL ${id}: no row is there: it was never an organization, or all of its trail is gone`;
  const before = unchained === 0 ? '' : `, ${unchained} of them without a seal`;
  return `ok   ${id}: ${rows} rows${before}, up to ${head.seal === '' ? 'no seal' : `the seal ${head.seal}`}`;
}

function chainNamed(text: string): string[] {
  const id = Id.safeParse(text);
  if (!id.success)
    throw badRequest('organization', 'invalid_id', `${text} is not the id of an organization.`);
  return [id.data];
}

function momentNamed(text: string): Date {
  const moment = z.iso.datetime({ offset: true }).or(z.iso.date()).safeParse(text);
  if (!moment.success) throw badRequest('unsealedBefore', 'invalid_date', `${text} is no date of ISO 8601.`);
  return new Date(moment.data);
}

/**
 * Checks the audit trail: of one organization, there or deleted, or all of it, with the rows of users outside any. It
 * takes the secret that the service has. `unsealedBefore` is the date of an upgrade from a version without chains: rows
 * without a seal that say they are older are accepted.
 *
 * @returns whether all is as it was written
 */
export function verifyAudit(
  config: Config,
  print: (line: string) => void,
  options: { organization?: string; unsealedBefore?: string },
): Promise<boolean> {
  const { organization, unsealedBefore } = options;
  const named = organization === undefined ? undefined : chainNamed(organization);
  const vouched = unsealedBefore === undefined ? undefined : momentNamed(unsealedBefore);
  return withDeps(config, async (deps) => {
    const total = { chains: 0, rows: 0, bad: 0 };
    for await (const id of named ?? chainIds(deps)) {
      const verdict = await verifyChain(deps, id, vouched);
      total.chains += 1;
      total.rows += verdict.rows - verdict.unchained;
      const isWhole = verdict.valid && verdict.rows > 0; // founding an organization writes a row
      if (!isWhole) total.bad += 1;
      if (!isWhole || named !== undefined) print(describe(id, verdict));
    }
    print(`${total.chains} chains, ${total.rows} rows as they were written, ${total.bad} chains broken`);
    return total.bad === 0;
  });
}
