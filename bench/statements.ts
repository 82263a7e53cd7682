import { principalOfKey, principalOfSession } from '../src/auth/principal.ts';
import type { Database, Sql } from '../src/db/client.ts';
import type { Deps } from '../src/domain/deps.ts';
import { listOrganizations } from '../src/domain/organization/index.ts';
import { NO_PROSPECT } from '../src/domain/place.ts';
import type { Principal } from '../src/domain/principal.ts';
import { hashSecret } from '../src/kernel/secrets.ts';

/** A tagged statement as postgres.js takes it. */
export type Statement = { strings: TemplateStringsArray; values: unknown[] };

/** The first statement that a function of the service sends: so the bare server runs the very same text. */
async function capture(send: (db: Database) => Promise<unknown>): Promise<Statement> {
  let captured: Statement | undefined;
  const record = (strings: TemplateStringsArray, ...values: unknown[]) => {
    captured ??= { strings, values };
    throw new Error('captured');
  };
  const query: Database['query'] = async (fn) => fn(record as unknown as Sql);
  await send({ query, transaction: () => Promise.reject(new Error('no transactions here')) }).catch(
    (error) => {
      if (captured === undefined) throw error;
    },
  );
  if (captured === undefined) throw new Error('No statement was sent.');
  return captured;
}

/** Fills in the values of a request: `markers` are what stood for them when the statement was captured. */
function bind({ strings, values }: Statement, ...markers: unknown[]) {
  const places = values.map((value) => markers.indexOf(value));
  return (...actual: unknown[]): Statement => ({
    strings,
    values: values.map((value, index) => {
      const place = places[index] ?? -1;
      return place === -1 ? value : actual[place];
    }),
  });
}

const NOBODY = { ipAddress: null, userAgent: null, requestId: null };
const usage = { seen: () => {}, flush: async () => {} };

const TOKEN = 'the token';
const KEY = 'the key';
const NOW = new Date(0);
const USER_ID = 'the user';

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

/** Who has a session, who has a key, and which organizations a user has: what the cases of this list ask. */
export async function readStatements() {
  const session = await capture((db) => principalOfSession(db, usage, TOKEN, NOW, NOBODY, NO_PROSPECT));
  const key = await capture((db) => principalOfKey(db, usage, KEY, NOW, NOBODY, NO_PROSPECT));
  const organizations = await capture((db) =>
    listOrganizations({ db, now: () => NOW } as Deps, PRINCIPAL, {
      activeOnly: false,
      limit: 1001,
      cursor: null,
    }),
  );
  return {
    session: bind(session, TOKEN, NOW),
    key: bind(key, hashSecret(KEY)),
    organizations: bind(organizations, USER_ID),
  };
}
