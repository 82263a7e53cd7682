import { randomUUID } from 'node:crypto';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createClient } from '../../src/db/client.ts';
import { newAddress } from '../api/stage.ts';
import { type Cluster, missingForCluster, missingForPooling, startCluster } from '../support/cluster.ts';
import { createDatabase } from '../support/database.ts';
import {
  type Caller,
  httpCaller,
  PASSWORD,
  type Reply,
  statuses,
  times,
  untilServed,
} from '../support/harness.ts';
import { auditOf, startLoad, totalOf } from '../support/load.ts';
import { faultRoundsOf, tell } from '../support/rounds.ts';
import { ROOT, signIn, signInRoot, tenantry } from '../support/service.ts';

/* Real instances behind HAProxy, on one database behind PgBouncer, as docs/scaling.md sets them up. */

const ROUNDS = faultRoundsOf(1);
const INSTANCES = ROUNDS > 1 ? 3 : 2;
const WRITERS = 8;
const missing = missingForCluster();
const unpooled = missingForPooling();

describe.skipIf(missing !== undefined)(
  `several instances${missing === undefined ? '' : ` (${missing})`}`,
  () => {
    let cluster: Cluster;
    let sql: postgres.Sql;
    let cookie: Record<string, string>;
    let database: Awaited<ReturnType<typeof createDatabase>>;

    beforeAll(async () => {
      database = await createDatabase('empty');
      sql = postgres(database.url, { max: 2, onnotice: () => {} });
      cluster = await startCluster(database.url, INSTANCES, { RATE_LIMIT_PER_MINUTE: '0' });
      cookie = await signInRoot(cluster.baseUrl);
    }, 120_000);
    afterAll(async () => {
      await cluster[Symbol.asyncDispose]();
      await sql.end();
      await database.drop();
    });

    /** Somebody as an instance sees him; each number another one. */
    const urlOf = (n: number): string => cluster.instances[n % INSTANCES]?.baseUrl ?? '';
    const at = (n: number, headers: Record<string, string> = cookie): Caller => httpCaller(urlOf(n), headers);
    const statusesOf = (replies: Promise<Reply>[]) => Promise.all(replies).then(statuses);

    /** A new member of an organization of the root's, signed in. */
    async function member(organizationId: string, role: string) {
      const email = newAddress();
      const account = { organizationId, email, password: PASSWORD, role };
      const { body } = await at(0).post('user.createUserWithCredentials', account);
      return { memberId: body.memberId as string, session: await signIn(urlOf(1), email, PASSWORD) };
    }

    const newOrganization = async (): Promise<string> =>
      (await at(0).post('organization.create', { name: 'Acme' })).body.id;

    test('started at once on an empty database, they made one first account', async () => {
      expect([...(await sql`select email, role from users`)]).toEqual([
        { email: ROOT.ROOT_EMAIL, role: 'rootAdmin' },
      ]);
    });

    test.skipIf(unpooled !== undefined)(
      `through PgBouncer statements have their time limits${unpooled === undefined ? '' : ` (${unpooled})`}`,
      async () => {
        const client = createClient(cluster.pooledUrl, 1);
        const [limits] = await client`select current_setting('statement_timeout') as statement,
        current_setting('lock_timeout') as lock, current_setting('idle_in_transaction_session_timeout') as idle`;
        await client.end();
        expect(limits).toEqual({ statement: '5s', lock: '2s', idle: '5s' });
        const settings = {
          DATABASE_URL: cluster.pooledUrl,
          AUTH_SECRET: 'one-secret-for-all-instances-of-a-test',
        };
        const { stdout } = await tenantry(['doctor'], settings);
        expect(stdout).toContain('time limits: in force');
      },
    );

    test('what is ended through one is refused by all others at once', async () => {
      for (const round of times(ROUNDS, (n) => n)) {
        const [here, others] = [round, times(INSTANCES - 1, (n) => round + 1 + n)];
        const organizationId = await newOrganization();
        const asked = (who: Record<string, string>) =>
          statusesOf(others.map((n) => at(n, who).get('organization.one', { organizationId })));
        const all = (status: number) => others.map(() => status);

        const admin = await member(organizationId, 'admin');
        const rename = () =>
          statusesOf(
            others.map((n) =>
              at(n, admin.session).post('organization.update', { organizationId, name: `by ${n}` }),
            ),
          );
        expect(await rename()).toEqual(all(200));
        const demoted = { memberId: admin.memberId, role: 'member' };
        expect((await at(here).post('organization.updateMemberRole', demoted)).status).toBe(200);
        expect(await rename()).toEqual(all(403));

        expect(await asked(admin.session)).toEqual(all(200));
        await at(here).post('organization.removeMember', { memberId: admin.memberId });
        expect(await asked(admin.session)).toEqual(all(404));

        const leaving = await member(organizationId, 'member');
        expect(await asked(leaving.session)).toEqual(all(200));
        await at(here, leaving.session).post('session.logoutAll');
        expect(await asked(leaving.session)).toEqual(all(401));

        const { body } = await at(here).post('apiKey.create', { name: 'ci', organizationId });
        const key = { 'x-api-key': body.key };
        expect(await asked(key)).toEqual(all(200));
        await at(here).post('apiKey.delete', { apiKeyId: body.id });
        expect(await asked(key)).toEqual(all(401));
      }
    });

    test('whoever guesses at all of them has the tries of one', async () => {
      const guess = { email: newAddress(), password: `not ${PASSWORD}` };
      const answers = [];
      for (const n of times(11, (n) => n)) answers.push(await at(n, {}).post('auth/sign-in/email', guess));
      expect(answers.map(({ status }) => status)).toEqual([...Array(10).fill(401), 429]);
    });

    test('a request with an Idempotency-Key that reaches all at once is carried out once', async () => {
      for (const _round of times(ROUNDS, (n) => n)) {
        const [name, key] = [`once ${randomUUID()}`, randomUUID()];
        const send = (n: number) => at(n).post('organization.create', { name }, { 'idempotency-key': key });
        const first = await Promise.all(times(4 * INSTANCES, send));
        expect(first.filter(({ status }) => status !== 200 && status !== 409)).toEqual([]);
        const again = await Promise.all(times(INSTANCES, send));
        const made = [...first, ...again].flatMap(({ status, body }) => (status === 200 ? [body.id] : []));
        expect(new Set(made).size).toBe(1);
        expect(await sql`select 1 from organizations where name = ${name}`).toHaveLength(1);
      }
    });

    test('a handle that is asked for at all of them is taken once', async () => {
      for (const _round of times(ROUNDS, (n) => n)) {
        const handle = `h${randomUUID().slice(0, 8)}.example.com`;
        const replies = times(4 * INSTANCES, (n) =>
          at(n).post('organization.create', { name: 'Race', handle }),
        );
        expect(await statusesOf(replies)).toEqual([200, ...Array(4 * INSTANCES - 1).fill(409)]);
      }
    });

    test('each mail is sent once, whoever was asked for it', async () => {
      const organizationId = await newOrganization();
      const invited = times(Math.min(20 * ROUNDS, 50), newAddress); // 60 a minute is all that one may send
      const replies = invited.map((email, n) =>
        untilServed(() => at(n).post('organization.inviteMember', { organizationId, email, role: 'member' })),
      );
      expect(new Set(await statusesOf(replies))).toEqual(new Set([200]));
      await vi.waitFor(async () => expect(await sql`select name, last_error from jobs`).toEqual([]), {
        timeout: 30_000,
        interval: 20,
      });
      const sent = (await Promise.all(cluster.instances.map(({ mails }) => mails()))).map((mails) =>
        mails.filter((to) => invited.includes(to)),
      );
      expect(sent.flat().sort()).toEqual(invited.sort());
    });

    test('one is killed under load: nothing acknowledged is lost, and the proxy goes on', async () => {
      const root = httpCaller(cluster.baseUrl, cookie);
      const acknowledged: string[] = [];
      const [figures, resumed] = [{ requests: 0, refused: 0 }, [] as number[]];
      for (const round of times(ROUNDS, (n) => n)) {
        const load = startLoad(root, { writers: WRITERS });
        await load.more(40);
        const victim = cluster.instances[round % INSTANCES];
        await victim?.kill();
        const killed = performance.now();
        await load.more(40);
        resumed.push(performance.now() - killed);
        await load.stop();
        const failed = totalOf(load) - load.acknowledged.length;
        // What it had in hand, and once more for each: over a connection that the proxy did not know to be gone yet.
        expect(failed, `${[...load.statuses]}`).toBeLessThanOrEqual(2 * WRITERS);
        expect([...load.statuses.keys()].filter((status) => ![200, 502, 0].includes(status))).toEqual([]);
        figures.requests += totalOf(load);
        figures.refused += failed;
        acknowledged.push(...load.acknowledged);
        if (round < ROUNDS - 1) await victim?.start();
      }
      const { lost, violated } = await auditOf(sql, { acknowledged });
      tell('One of several instances killed', {
        rounds: ROUNDS,
        ...figures,
        acknowledged: acknowledged.length,
        lost: lost.length,
        violated: violated.length,
        'slowest 40 writes afterwards in ms': Math.max(...resumed),
      });
      expect({ lost, violated }).toEqual({ lost: [], violated: [] });
    });
  },
);
