import type { Sql, Transaction } from '../../db/client.ts';
import { badRequest, conflict } from '../../kernel/errors.ts';
import { handleFamily, labelFromName, namesAbove, parseHandle } from '../../kernel/handles.ts';
import { randomSuffix } from '../../kernel/secrets.ts';
import type { Deps, Rules } from '../deps.ts';

/** Whether a handle stands equal to, above or below one of another organization. */
async function isTaken(sql: Sql, handle: string, ownId: string | null): Promise<boolean> {
  // Below means: reversed, it starts with this. '/' follows '.' in ASCII, which ends the range.
  const below = [...`.${handle}`].reverse().join('');
  const end = `${below.slice(0, -1)}/`;
  const [row] = await sql`
    select 1 from organizations
    where (handle = ${handle} or handle = any(${namesAbove(handle)})
        or (reverse(handle) ~>=~ ${below} and reverse(handle) ~<~ ${end}))
      and id is distinct from ${ownId}
    limit 1`;
  return row !== undefined;
}

function requireHandle(text: string, rules: Rules): string {
  const parsed = parseHandle(text, rules.dnsBaseDomain);
  if ('problem' in parsed) throw badRequest('handle', `handle_${parsed.problem}`, parsed.message);
  return parsed.handle;
}

/** Lets nobody else claim a related name before this transaction ends; then tells whether it is free. */
async function lockAndCheck(tx: Transaction, handle: string, rules: Rules, ownId: string | null) {
  await tx`select pg_advisory_xact_lock(hashtextextended(${handleFamily(handle, rules.dnsBaseDomain)}, 0))`;
  return !(await isTaken(tx, handle, ownId));
}

/**
 * The handle that was asked for, free to be written in this transaction.
 *
 * @throws BAD_REQUEST for a name that nobody may have, CONFLICT for one that is taken or lies above or below one.
 */
export async function claimHandle(tx: Transaction, text: string, rules: Rules, ownId: string | null = null) {
  const handle = requireHandle(text, rules);
  if (await lockAndCheck(tx, handle, rules, ownId)) return handle;
  throw conflict(
    'handle_taken',
    `The handle ${handle} is taken, or lies above or below one that is.`,
    'handle',
  );
}

/** A free handle made from an organization's name, with a random ending where the plain one is not to be had. */
export async function deriveHandle(tx: Transaction, name: string, rules: Rules): Promise<string> {
  const label = labelFromName(name);
  for (const candidate of [label, `${label}-${randomSuffix(5)}`, `org-${randomSuffix(12)}`]) {
    const parsed = parseHandle(candidate, rules.dnsBaseDomain);
    if ('handle' in parsed && (await lockAndCheck(tx, parsed.handle, rules, null))) return parsed.handle;
  }
  throw conflict('handle_taken', 'No free handle could be made from this name. Choose one.', 'handle');
}

/** Whether a handle could be had now, and if not, why. */
export async function checkHandle(deps: Deps, text: string) {
  const parsed = parseHandle(text, deps.rules.dnsBaseDomain);
  if ('problem' in parsed) return { available: false, reason: `handle_${parsed.problem}` };
  const taken = await deps.db.query((sql) => isTaken(sql, parsed.handle, null));
  return taken ? { available: false, reason: 'handle_taken' } : { available: true };
}
