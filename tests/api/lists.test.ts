import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../src/kernel/ids.ts';
import {
  type Body,
  type Caller,
  createHarness,
  type Harness,
  type TestUser,
  UNLIMITED,
} from '../support/harness.ts';
import { invite, newAddress, newSessionOf } from './stage.ts';

/* Every list can be read page by page, and meets every row once. */

let h: Harness;
let ada: TestUser;
let organizationId: string;
beforeAll(async () => {
  h = await createHarness({}, { rateLimiter: UNLIMITED });
  await h.user();
  ada = await h.user();
  const { body } = await ada.post('organization.create', { name: 'Acme' });
  organizationId = body.id;
  for (let n = 0; n < 5; n += 1) {
    await invite(ada, organizationId, newAddress());
    await ada.post('organization.create', { name: `More ${n}` });
    await ada.post('apiKey.create', { name: `key ${n}`, organizationId });
    await newSessionOf(h, ada);
    const host = await h.organization();
    await invite(host.owner, host.id, ada.email);
    const { id: userId } = await h.user();
    await h.sql`insert into memberships (id, organization_id, user_id, role)
      values (${newId()}, ${organizationId}, ${userId}, 'member')`;
  }
});
afterAll(() => h[Symbol.asyncDispose]());

type Query = Record<string, string | number>;
type Row = { id: string };

/** Where a list keeps its rows and its cursor: a bare array with a header, or an object with both. */
const rowsOf = (body: Body): Row[] => (Array.isArray(body) ? body : body.items);

async function walk(caller: Caller, name: string, query: Query, limit: number): Promise<Row[][]> {
  const pages: Row[][] = [];
  let cursor: string | null = null;
  do {
    const page: Query = cursor === null ? { ...query, limit } : { ...query, limit, cursor };
    const { status, headers, body, text } = await caller.get(name, page);
    expect(status, text).toBe(200);
    pages.push(rowsOf(body));
    cursor = Array.isArray(body) ? headers.get('x-next-cursor') : body.nextCursor;
    expect(pages.length).toBeLessThan(50);
  } while (cursor !== null);
  return pages;
}

const LISTS: [name: string, named: boolean, most: number][] = [
  ['organization.all', false, 1000],
  ['organization.allInvitations', true, 1000],
  ['auditLog.all', true, 500],
  ['user.all', true, 1000],
  ['apiKey.all', false, 500],
  ['invitation.mine', false, 500],
  ['user.listSessions', false, 1000],
  ['user.getInvitations', false, 1000],
];

describe.each(LISTS)('%s', (name, named, most) => {
  const query = (): Query => (named ? { organizationId } : {});

  test.each([1, 2, 3, 4, 5, 100])('in pages of %i', async (limit) => {
    const whole = rowsOf((await ada.get(name, { ...query(), limit: most })).body);
    expect(whole.length).toBeGreaterThanOrEqual(5);
    const pages = await walk(ada, name, query(), limit);
    expect(pages.flat()).toEqual(whole);
    expect(pages).toHaveLength(Math.ceil(whole.length / limit));
  });

  test('a page that is full and the last names no next one', async () => {
    const { length } = rowsOf((await ada.get(name, { ...query(), limit: most })).body);
    const { headers, body } = await ada.get(name, { ...query(), limit: length });
    expect(headers.has('x-next-cursor')).toBe(false);
    expect(body.nextCursor ?? null).toBeNull();
  });

  test.each<Query>([
    { limit: 0 },
    { limit: most + 1 },
    { limit: 1.5 },
    { limit: 'all' },
    { limit: '' },
    { cursor: 'x' },
    { cursor: '' },
  ])('%j is 400', async (page) => {
    expect((await ada.get(name, { ...query(), ...page })).status).toBe(400);
  });

  test('the cursor is the last row of the page, and any other id will do', async () => {
    const { headers, body } = await ada.get(name, { ...query(), limit: 2 });
    const cursor = headers.get('x-next-cursor') ?? body.nextCursor;
    const whole = rowsOf((await ada.get(name, { ...query(), limit: most })).body);
    expect(whole[1]?.id).toBe(cursor);
    const foreign = await ada.get(name, { ...query(), cursor: ada.id });
    expect(foreign.status).toBe(200);
  });
});

test('somebody else walks his own rows, whatever the cursor', async () => {
  const eve = await h.user();
  const mine = new Set(
    [...(await walk(ada, 'organization.all', {}, 100)), ...(await walk(ada, 'apiKey.all', {}, 100))].flatMap(
      (page) => page.map(({ id }) => id),
    ),
  );
  for (const name of ['organization.all', 'apiKey.all']) {
    for (const cursor of [...mine, '00000000-0000-7000-8000-000000000000']) {
      const rows = rowsOf((await eve.get(name, { cursor })).body);
      expect(rows.filter(({ id }) => mine.has(id))).toEqual([]);
    }
  }
});

test.each(['invitation.mine', 'user.getInvitations'])(
  '%s goes on behind invitations that fell',
  async (name) => {
    const guest = await h.user();
    const hosts = [await h.organization(), await h.organization(), await h.organization()];
    const ids: string[] = [];
    for (const { id, join } of hosts) {
      const inviter = await join('admin');
      ids.unshift((await invite(inviter, id, guest.email)).id);
      if (id === hosts[1]?.id) await h.sql`delete from memberships where id = ${inviter.memberId}`;
    }
    const pages = await walk(guest, name, {}, 1);
    expect(pages.map((page) => page.map(({ id }) => id))).toEqual([[ids[0]], [], [ids[2]]]);
  },
);

test('the lists of an organization need no input: they mean the active one', async () => {
  await ada.post('organization.setActive', { organizationId });
  for (const name of ['organization.allInvitations', 'auditLog.all']) {
    const named = await ada.get(name, { organizationId });
    expect((await ada.get(name)).body).toEqual(named.body);
    const bare = await ada.send(`/api/trpc/${name}`, {}); // as Dokploy's clients send it
    expect([bare.status, bare.body.result.data.json]).toEqual([200, named.body]);
  }
});

describe('auditLog.all', () => {
  const all = (query: Query) => ada.get('auditLog.all', { organizationId, ...query });

  test('filters by everything that it says it does', async () => {
    const admin = await h.user();
    await h.sql`insert into memberships (id, organization_id, user_id, role)
      values (gen_random_uuid(), ${organizationId}, ${admin.id}, 'admin')`;
    const { email } = await invite(admin, organizationId);
    const rows: Body[] = (await all({ limit: 500 })).body;
    const expectSame = async (query: Query, keep: (row: Body) => boolean) => {
      const kept = rows.filter(keep);
      expect(kept.length).toBeGreaterThan(0);
      expect(kept.length).toBeLessThan(rows.length);
      expect((await all({ limit: 500, ...query })).body).toEqual(kept);
    };
    await expectSame({ userId: admin.id }, (row) => row.userId === admin.id);
    await expectSame({ userEmail: ` ${admin.email.toUpperCase()}` }, (row) => row.userId === admin.id);
    await expectSame({ resourceName: email }, (row) => row.resourceName === email);
    await expectSame({ resourceType: 'invitation' }, (row) => row.resourceType === 'invitation');
    await expectSame(
      { resourceType: 'organization', action: 'create' },
      (row) => row.resourceType === 'organization',
    );
    const { createdAt } = rows[3] ?? {};
    await expectSame({ from: createdAt }, (row) => row.createdAt >= createdAt);
    await expectSame({ to: createdAt }, (row) => row.createdAt <= createdAt);
    expect((await all({ offset: 2, limit: 3 })).body).toEqual(rows.slice(2, 5));
    expect((await all({ resourceName: '%' })).body).toEqual([]);
  });

  test('an offset moves the first page only, and the pages after it leave out nothing', async () => {
    const rows: Body[] = (await all({ limit: 500 })).body;
    const pages = await walk(ada, 'auditLog.all', { organizationId, offset: 2 }, 3);
    expect(pages.flat()).toEqual(rows.slice(2));
  });

  test('takes days and moments, and refuses what is none', async () => {
    expect((await all({ from: '2020-01-01', to: '9999-12-31' })).body.length).toBeGreaterThan(5);
    expect((await all({ to: '0001-01-01T00:00:00Z' })).body).toEqual([]);
    const bad = ['0000-01-01', '9999-12-31T23:59:59-10:00', '2026-02-30', 'yesterday', '+010000-01-01', ''];
    for (const from of bad) expect([from, (await all({ from })).status]).toEqual([from, 400]);
    expect((await all({ from: 'yesterday' })).body.message).toBe(
      'Invalid input: from: Write a day as YYYY-MM-DD, or a moment as YYYY-MM-DDTHH:MM:SSZ.',
    );
  });
});
