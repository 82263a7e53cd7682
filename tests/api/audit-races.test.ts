import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { chainIds, record, verifyChain } from '../../src/domain/audit/index.ts';
import { newId } from '../../src/kernel/ids.ts';
import { hold } from '../http/held.ts';
import {
  createHarness,
  type Harness,
  PASSWORD,
  type TestUser,
  times,
  untilServed,
} from '../support/harness.ts';
import { invite, newAddress, newSessionOf, tokenFor } from './stage.ts';

/* However many write at once, each chain has every place once, and no two wait for each other. */

const WRITERS = 32;

let h: Harness;
beforeAll(async () => {
  h = await createHarness();
});
afterAll(() => h[Symbol.asyncDispose]());

async function expectWhole(): Promise<void> {
  for await (const id of chainIds(h.app.deps)) {
    expect([id, await verifyChain(h.app.deps, id)]).toMatchObject([id, { valid: true }]);
  }
}

const rowsOf = async (chainId: string) =>
  (await h.sql<{ seq: string }[]>`select seq from audit_log where chain_id = ${chainId} order by seq`).map(
    ({ seq }) => Number(seq),
  );

test('32 writers of one organization, with its lock and without it', async () => {
  const { id, owner, join } = await h.organization();
  const members: TestUser[] = [];
  for (const _ of times(WRITERS, String)) members.push(await join('admin'));
  const before = (await rowsOf(id)).length;
  const verdicts: Promise<{ status: number; body: { valid: boolean } }>[] = [];
  const changes = members.flatMap((member, index) => [
    member.post('organization.setActive', { organizationId: id }),
    index % 2 === 0
      ? member.post('organization.inviteMember', { organizationId: id, email: newAddress() })
      : member.post('apiKey.create', { name: 'race', organizationId: id }),
    ...(index % 8 === 0 ? [] : [member.post('organization.setDefault', { organizationId: id })]),
  ]);
  for (const _ of times(4, String)) verdicts.push(owner.get('auditLog.verify', { organizationId: id }));
  const replies = await Promise.all(changes);
  const written = replies.filter(({ status }) => status === 200).length;
  expect(written).toBeGreaterThan(0);
  // On a busy machine some wait too long for their turn; then they are told so, and have written nothing.
  const refusals = replies.flatMap(({ status, body }) =>
    status === 200 ? [] : [[status, body.data.reason]],
  );
  for (const [status, reason] of refusals) {
    expect([status, ['database_timeout', 'database_busy'].includes(reason)]).toEqual([503, true]);
  }
  for (const { status, body } of await Promise.all(verdicts)) {
    expect([status, body.valid]).toEqual(status === 503 ? [503, undefined] : [200, true]);
  }
  expect(await rowsOf(id)).toEqual(times(before + written, (index) => index + 1));
  await expectWhole();
});

test('the first rows of a chain at once', async () => {
  const chain = newId();
  const actor = { userId: chain, email: 'a@example.org', ipAddress: null, userAgent: null, requestId: null };
  const event = { organizationId: null, action: 'touch', resourceType: 'thing', resourceId: 'x' };
  const write = () => h.app.deps.db.transaction((tx) => record(tx, actor, new Date(), event));
  await Promise.all(times(WRITERS, write));
  expect(await rowsOf(chain)).toEqual(times(WRITERS, (index) => index + 1));
  await expectWhole();
});

test('a row that is taken back leaves no gap', async () => {
  const { id, owner } = await h.organization();
  const actor = { userId: owner.id, email: owner.email, ipAddress: null, userAgent: null, requestId: null };
  const event = { organizationId: id, action: 'touch', resourceType: 'thing', resourceId: 'x' };
  const write = (index: number) =>
    h.app.deps.db.transaction(async (tx) => {
      await record(tx, actor, new Date(), event);
      if (index % 2 === 1) throw new Error('taken back');
    });
  await Promise.allSettled(times(WRITERS, write));
  expect(await rowsOf(id)).toEqual(times(1 + WRITERS / 2, (index) => index + 1));
  await expectWhole();
});

test('one account from many sides: sessions end, keys come and go, organizations are made and left', async () => {
  const ada = await h.user();
  const { id, join } = await h.organization(ada);
  await join('admin');
  const sessions = await Promise.all(times(8, () => newSessionOf(h, ada)));
  const keys = await Promise.all(times(8, () => h.key(ada, { organizationId: id })));
  const replies = await Promise.all([
    ...sessions.map((sessionId) => ada.post('session.revoke', { sessionId })),
    ...keys.map((key) => ada.post('apiKey.delete', { apiKeyId: key.id })),
    ...times(4, (index) => ada.post('organization.create', { name: `New ${index}` })),
    ...times(4, (index) => ada.post('user.update', { displayName: `Ada ${index}` })),
    ...times(4, () => ada.post('organization.inviteMember', { organizationId: id, email: newAddress() })),
  ]);
  expect(replies.filter(({ status }) => status !== 200).map(({ text }) => text)).toEqual([]);
  await expectWhole();
});

test('accounts made, by invitations to one organization, while people work there', async () => {
  const { id, owner } = await h.organization();
  const people = [];
  for (const _ of times(8, String)) {
    const { email } = await invite(owner, id);
    people.push({ email, invitationToken: await tokenFor(h, email) });
  }
  const replies = await Promise.all([
    ...people.map(({ email, invitationToken }) =>
      untilServed(() =>
        h.anonymous.post('user.register', {
          email,
          password: PASSWORD,
          firstName: 'New',
          lastName: 'Person',
          invitationToken,
        }),
      ),
    ),
    ...times(6, (index) => owner.post('organization.update', { organizationId: id, name: `Acme ${index}` })),
    ...times(8, () => owner.post('organization.setActive', { organizationId: id })),
  ]);
  expect(replies.filter(({ status }) => status >= 500).map(({ text }) => text)).toEqual([]);
  expect(replies.filter(({ status }) => status === 200).length).toBeGreaterThan(8);
  await expectWhole();
});

test('a webhook goes while somebody without the lock of its organization is about to write', async () => {
  const { id, owner, join } = await h.organization();
  const member = await join('admin');
  await h.app.jobs.stop(); // nothing is sent to the address
  const { body: hook } = await owner.post('webhook.create', {
    organizationId: id,
    url: 'https://example.org/',
  });
  const { id: apiKeyId } = await h.key(member, { organizationId: id });
  const chain = await hold(h.databaseUrl, `select 1 from audit_chains where id = '${id}' for update`);
  const first = member.post('apiKey.delete', { apiKeyId });
  await chain.waiters(1);
  const second = owner.post('webhook.delete', { webhookId: hook.id });
  await chain.waiters(2);
  await chain.release();
  expect([(await first).status, (await second).status]).toEqual([200, 200]);
  await expectWhole();
});

test('no two of all these waited for each other', async () => {
  await h.app.close(); // a connection counts its deadlocks for all to see when it ends
  await vi.waitFor(async () => {
    const rest = await h.sql`select 1 from pg_stat_activity
      where datname = current_database() and application_name = 'tenantry'`;
    expect(rest).toHaveLength(0);
  });
  const [row] = await h.sql<{ commits: number; deadlocks: number }[]>`
    select xact_commit::int as commits, deadlocks::int from pg_stat_database where datname = current_database()`;
  expect(row?.commits).toBeGreaterThan(WRITERS * 3);
  expect(row?.deadlocks).toBe(0);
});
