import postgres from 'postgres';
import { keyReader, sessionReader } from '../src/auth/principal.ts';
import type { Database, Sql } from '../src/db/client.ts';
import type { Deps } from '../src/domain/deps.ts';
import { listInvitations } from '../src/domain/invitation/index.ts';
import { listMembers } from '../src/domain/member/index.ts';
import { listOrganizations, oneOrganization } from '../src/domain/organization/index.ts';
import { NO_PROSPECT, type Prospect } from '../src/domain/place.ts';
import type { OrganizationActor, Principal } from '../src/domain/principal.ts';
import { newId } from '../src/kernel/ids.ts';
import { roleOf } from '../src/kernel/permissions.ts';
import { hashSecret } from '../src/kernel/secrets.ts';

/** Makes the parameters of a statement out of those of a request, in the order in which their markers were given. */
export type Statement = { text: string; parametersFor: (...values: unknown[]) => unknown[] };

/**
 * The statement that a function of the service sends, with markers where a request's own values go: so the bare server
 * runs the very same text. It is sent once, and finds nothing.
 */
async function capture(
  url: string,
  send: (db: Database) => Promise<unknown>,
  markers: unknown[],
): Promise<Statement> {
  const sent: { text: string; values: unknown[] }[] = [];
  const sql = postgres(url, {
    max: 1,
    fetch_types: false,
    types: { bigint: postgres.BigInt },
    debug: (_connection, text, values) => void sent.push({ text, values }),
  });
  const query: Database['query'] = (fn) => fn(sql as unknown as Sql);
  const database: Database = { query, transaction: () => Promise.reject(new Error('no transactions here')) };
  const outcome = await send(database).catch((error: unknown) => error);
  await sql.end();
  const [one, ...others] = sent;
  if (one === undefined || others.length > 0) {
    throw new Error(`${sent.length} statements were sent instead of one.`, { cause: outcome });
  }
  const { text, values } = one;
  const places = values.map((value) => markers.findIndex((marker) => String(marker) === String(value)));
  return {
    text,
    parametersFor: (...actual) =>
      values.map((value, index) => {
        const place = places[index] ?? -1;
        return place === -1 ? value : actual[place];
      }),
  };
}

const NOBODY = { ipAddress: null, userAgent: null, requestId: null };
const usage = { seen: () => {}, flush: async () => {} };

const TOKEN = 'the token';
const KEY = 'the key';
const NOW = new Date(0);
const USER_ID = newId();
const ORGANIZATION_ID = newId();

const PRINCIPAL: Principal = {
  ...NOBODY,
  userId: USER_ID,
  email: '',
  emailVerified: true,
  platformRole: 'user',
  sessionId: null,
  key: null,
  active: null,
  place: null,
  settings: null,
};
const ACTOR: OrganizationActor = {
  principal: PRINCIPAL,
  organizationId: ORGANIZATION_ID,
  memberId: newId(),
  role: 'owner',
  grant: roleOf('owner'),
  permission: 'organization:read',
};
const IN_ORGANIZATION: Prospect = { place: { kind: 'organization', id: ORGANIZATION_ID }, settings: false };
const PAGE = { limit: 50, cursor: null };

/** Who has a session or a key, alone and with the membership of an organization, and what the cases ask then. */
export async function readStatements(url: string) {
  const deps = (db: Database) => ({ db, now: () => NOW }) as Deps;
  const session = (prospect: Prospect) =>
    capture(url, (db) => sessionReader(db, usage)(TOKEN, { now: NOW, origin: NOBODY, prospect }), [
      ...[TOKEN, NOW, ORGANIZATION_ID],
    ]);
  const key = (prospect: Prospect) =>
    capture(url, (db) => keyReader(db, usage)(KEY, { now: NOW, origin: NOBODY, prospect }), [
      ...[hashSecret(KEY), NOW, ORGANIZATION_ID],
    ]);
  return {
    callers: {
      alone: { session: await session(NO_PROSPECT), key: await key(NO_PROSPECT) },
      inOrganization: { session: await session(IN_ORGANIZATION), key: await key(IN_ORGANIZATION) },
    },
    organizations: await capture(
      url,
      (db) => listOrganizations(deps(db), PRINCIPAL, { ...PAGE, limit: 1000, activeOnly: false }),
      [USER_ID],
    ),
    organization: await capture(url, (db) => oneOrganization(deps(db), ACTOR), [ORGANIZATION_ID]),
    members: await capture(url, (db) => listMembers(deps(db), ACTOR, PAGE), [ORGANIZATION_ID]),
    invitations: await capture(url, (db) => listInvitations(deps(db), ACTOR, { ...PAGE, limit: 1000 }), [
      ORGANIZATION_ID,
    ]),
  };
}
