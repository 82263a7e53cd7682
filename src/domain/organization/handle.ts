import type { Sql, Transaction } from '../../db/client.ts';
import { beyondWall } from '../../db/wall.ts';
import { canonicalName } from '../../kernel/dns/names.ts';
import { badRequest, conflict } from '../../kernel/errors.ts';
import {
  type HandleProblem,
  type HandleResult,
  handleFamily,
  isWithin,
  labelFromName,
  namesAbove,
  parseHandle,
} from '../../kernel/handles.ts';
import { randomSuffix } from '../../kernel/secrets.ts';
import type { Deps, Rules } from '../deps.ts';

/**
 * Whether a name stands equal to, above or below a handle or a zone of another organization; or, inside the base domain,
 * where it would be served at once, equal to or above the address of a deployment.
 */
async function isTaken(sql: Sql, handle: string, rules: Rules, ownId: string | null): Promise<boolean> {
  // Below means: reversed, it starts with this. '/' follows '.' in ASCII, which ends the range.
  const below = [...`.${handle}`].reverse().join('');
  const end = `${below.slice(0, -1)}/`;
  const equalOrAbove = [handle, ...namesAbove(handle)];
  const isServed = isWithin(handle, rules.dnsBaseDomain);
  // Five questions with an index each, and no limit: with one, the planner would hope to meet a match early in a scan.
  const [row] = await beyondWall(
    sql,
    () => sql`
      select 1 from organizations where handle = any(${equalOrAbove}) and id is distinct from ${ownId}
      union all
      select 1 from organizations
      where reverse(handle) ~>=~ ${below} and reverse(handle) ~<~ ${end} and id is distinct from ${ownId}
      union all
      select 1 from dns_zones where name = any(${equalOrAbove}) and organization_id is distinct from ${ownId}
      union all
      select 1 from dns_zones
      where reverse(name) ~>=~ ${below} and reverse(name) ~<~ ${end} and organization_id is distinct from ${ownId}
      union all
      select 1 from deployments
      where ${isServed}::boolean and status <> 'destroyed' and organization_id is distinct from ${ownId}
        and reverse('.' || subdomain || '.' || base_domain) ~>=~ ${below}
        and reverse('.' || subdomain || '.' || base_domain) ~<~ ${end}`,
  );
  return row !== undefined;
}

/** As the kernel has it, and none by which the platform itself is reached, or that stands above one. */
function parseFor(text: string, rules: Rules): HandleResult {
  const parsed = parseHandle(text, rules.dnsBaseDomain);
  if ('problem' in parsed || !rules.dns.ownHosts.some((host) => isWithin(host, parsed.handle))) return parsed;
  return { problem: 'reserved', message: 'This name belongs to the platform.' };
}

/**
 * Whether a host's name is the platform's: its base domain, one by which it is reached, one above these, or a reserved one
 * in the base domain with everything below.
 */
export function isPlatformName(name: string, { dnsBaseDomain, dns }: Rules): boolean {
  if ([dnsBaseDomain, ...dns.ownHosts].some((host) => isWithin(host, name))) return true;
  if (!isWithin(name, dnsBaseDomain)) return false;
  const parsed = parseHandle(handleFamily(name, dnsBaseDomain), dnsBaseDomain);
  return 'problem' in parsed && parsed.problem === 'reserved';
}

function requireHandle(text: string, rules: Rules): string {
  const parsed = parseFor(text, rules);
  if ('problem' in parsed) throw badRequest('handle', `handle_${parsed.problem}`, parsed.message);
  return parsed.handle;
}

/** Lets nobody else claim a related name before this transaction ends. */
export const lockName = (tx: Transaction, name: string, { dnsBaseDomain }: Rules) =>
  tx`select pg_advisory_xact_lock(hashtextextended(${handleFamily(name, dnsBaseDomain)}, 0))`;

/** Locks a name, and tells whether it is free. */
async function lockAndCheck(tx: Transaction, handle: string, rules: Rules, ownId: string | null) {
  const [, taken] = await Promise.all([
    lockName(tx, handle, rules).execute(), // sent before the check
    isTaken(tx, handle, rules, ownId),
  ]);
  return !taken;
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

const ZONE_PROBLEMS: Record<HandleProblem, string> = {
  invalid: 'A zone is a domain such as example.com, of labels of letters, digits and inner hyphens.',
  base_domain: 'The platform’s own domain cannot be a zone.',
  reserved: 'This name is reserved for the platform.',
  public_suffix: 'A public suffix cannot be a zone.',
};

/**
 * The name of a zone that the organization may make in this transaction, by the rules of handles. Below and above its
 * own handle and zones it is free.
 *
 * @throws BAD_REQUEST for a name that nobody may have, CONFLICT for one that is taken or lies above or below one.
 */
export async function claimZone(tx: Transaction, text: string, rules: Rules, organizationId: string) {
  const name = canonicalName(text.trim(), 'name');
  // A single label is completed, but not one that says by a dot that it is complete.
  const parsed = parseFor(name.includes('.') ? name : text.trim(), rules);
  if ('problem' in parsed) {
    throw badRequest('name', `zone_${parsed.problem}`, ZONE_PROBLEMS[parsed.problem]);
  }
  const { handle: zone } = parsed;
  if (!(await lockAndCheck(tx, zone, rules, organizationId))) {
    const message = `The name ${zone} is taken, or lies above or below one that is.`;
    throw conflict('dns_zone_taken', message, 'name');
  }
  const own = await tx`select 1 from dns_zones where name = ${zone}`;
  if (own.length > 0) throw conflict('dns_zone_exists', `The zone ${zone} is there already.`, 'name');
  return zone;
}

/** A free handle made from an organization's name, with a random ending where the plain one is not to be had. */
export async function deriveHandle(tx: Transaction, name: string, rules: Rules): Promise<string> {
  const label = labelFromName(name);
  for (const candidate of [label, `${label}-${randomSuffix(5)}`, `org-${randomSuffix(12)}`]) {
    const parsed = parseFor(candidate, rules);
    if ('handle' in parsed && (await lockAndCheck(tx, parsed.handle, rules, null))) return parsed.handle;
  }
  throw conflict('handle_taken', 'No free handle could be made from this name. Choose one.', 'handle');
}

/** Whether a handle could be had now, and if not, why. */
export async function checkHandle(deps: Deps, text: string) {
  const parsed = parseFor(text, deps.rules);
  if ('problem' in parsed) return { available: false, reason: `handle_${parsed.problem}` };
  const taken = await deps.db.query((sql) => isTaken(sql, parsed.handle, deps.rules, null));
  return taken ? { available: false, reason: 'handle_taken' } : { available: true };
}
