import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { newSshKeyOf } from '../api/stage.ts';
import {
  type Caller,
  createHarness,
  type Harness,
  statuses,
  type TestUser,
  times,
} from '../support/harness.ts';

/* A single read has an ETag; an update that is sent with it changes only what has not changed since. */

let h: Harness;
let root: TestUser;
let ada: TestUser;
let organizationId: string;
let sshKeyId: string;
beforeAll(async () => {
  h = await createHarness();
  root = await h.user(); // the first account
});
beforeEach(async () => {
  const organization = await h.organization();
  ada = organization.owner;
  organizationId = organization.id;
  sshKeyId = await newSshKeyOf(h, organizationId);
});
afterAll(() => h[Symbol.asyncDispose]());

const pathOf = (name: string, query: Record<string, string> = {}) =>
  `/api/${name}?${new URLSearchParams(query)}`;

async function tagOf(caller: Caller, name: string, query: Record<string, string> = {}): Promise<string> {
  const { status, headers } = await caller.send(pathOf(name, query), {});
  expect(status).toBe(200);
  return headers.get('etag') ?? '';
}

const STRONG = /^"[\w-]+(?:\.[\w-]+)?"$/;

describe('a read', () => {
  test('of one thing has a strong ETag that changes with it', async () => {
    const reads: [Caller, string, Record<string, string>][] = [
      [ada, 'organization.one', { organizationId }],
      [ada, 'organization.active', {}],
      [ada, 'user.me', {}],
      [ada, 'user.one', { userId: 'me' }],
      [ada, 'user.session', {}],
      [ada, 'apiKey.whoami', {}],
      [ada, 'sshKey.one', { sshKeyId }],
      [h.anonymous, 'settings.get', {}],
    ];
    for (const [caller, name, query] of reads) {
      const tag = await tagOf(caller, name, query);
      expect([name, tag]).toEqual([name, expect.stringMatching(STRONG)]);
      expect(await tagOf(caller, name, query)).toBe(tag);
    }
    const before = await tagOf(ada, 'organization.one', { organizationId });
    await ada.post('organization.update', { organizationId, name: 'Other' });
    expect(await tagOf(ada, 'organization.one', { organizationId })).not.toBe(before);
  });

  test('of a list, a page or a single value has none', async () => {
    for (const name of ['organization.all', 'apiKey.all', 'session.all', 'user.haveRootAccess']) {
      expect((await ada.get(name)).headers.get('etag')).toBeNull();
    }
  });

  test('stays out of caches', async () => {
    const { headers } = await ada.get('user.me');
    expect(headers.get('cache-control')).toBe('no-store');
  });
});

describe('If-None-Match', () => {
  const ask = (value: string, method = 'GET') =>
    ada.send(pathOf('user.me'), { method, headers: { 'if-none-match': value } });

  test('is answered 304, without a body, to whoever has the answer', async () => {
    const tag = await tagOf(ada, 'user.me');
    for (const value of [tag, `W/${tag}`, `"x", ${tag}`, `W/"y",${tag}`, '*']) {
      const { status, text, headers } = await ask(value);
      expect({ value, status, text }).toEqual({ value, status: 304, text: '' });
      expect([headers.get('etag'), headers.get('cache-control')]).toEqual([tag, 'no-store']);
    }
    expect((await ask(tag, 'HEAD')).status).toBe(304);
  });

  test('is answered in full to everybody else', async () => {
    const tag = await tagOf(ada, 'user.me');
    await ada.post('user.update', { displayName: 'Countess' });
    for (const value of [tag, '"x"', tag.slice(1, -1), ',,', '']) {
      const { status, body } = await ask(value);
      expect([value, status, body?.displayName]).toEqual([value, 200, 'Countess']);
    }
  });

  test('tells nobody what he may not see', async () => {
    const stranger = await h.user();
    const { status } = await stranger.send(pathOf('organization.one', { organizationId }), {
      headers: { 'if-none-match': '*' },
    });
    expect(status).toBe(404);
  });

  test('sees what an update cannot change, too: the role of the caller', async () => {
    const { join, id } = await h.organization(ada);
    const admin = await join('admin');
    const query = { organizationId: id };
    const tag = await tagOf(admin, 'organization.one', query);
    await ada.post('organization.updateMemberRole', { memberId: admin.memberId, role: 'member' });
    const { status } = await admin.send(pathOf('organization.one', query), {
      headers: { 'if-none-match': tag },
    });
    expect(status).toBe(200);
  });
});

type Versioned = {
  by: () => Caller;
  read: [name: string, query: () => Record<string, string>];
  update: string;
  input: (n: number) => object;
};

const VERSIONED: Record<string, Versioned> = {
  organization: {
    by: () => ada,
    read: ['organization.one', () => ({ organizationId })],
    update: 'organization.update',
    input: (n) => ({ organizationId, description: `text ${n}` }),
  },
  account: {
    by: () => ada,
    read: ['user.me', () => ({})],
    update: 'user.update',
    input: (n) => ({ displayName: `Ada ${n}`, settings: { theme: n % 2 ? 'dark' : 'light' } }),
  },
  settings: {
    by: () => root,
    read: ['settings.get', () => ({})],
    update: 'settings.update',
    input: (n) => ({ minimumAge: 10 + n, adultAges: { NZ: 20, AT: 19 } }),
  },
  'SSH key': {
    by: () => ada,
    read: ['sshKey.one', () => ({ sshKeyId })],
    update: 'sshKey.update',
    input: (n) => ({ sshKeyId, description: `text ${n}`, lastUsedAt: '2026-01-02T03:04:05.678Z' }),
  },
};

describe.each(Object.entries(VERSIONED))(
  'If-Match on the update of a %s',
  (_, { by, read, update, input }) => {
    const tag = () => tagOf(by(), read[0], read[1]());
    const send = (n: number, ifMatch: string) => by().post(update, input(n), { 'if-match': ifMatch });

    test('lets it through as long as nothing has changed', async () => {
      expect((await send(1, await tag())).status).toBe(200);
      expect((await send(2, `"other.tag", ${await tag()}`)).status).toBe(200);
      expect((await send(3, '*')).status).toBe(200);
    });

    test('is 412 after a change, which stays', async () => {
      const old = await tag();
      expect((await by().post(update, input(4))).status).toBe(200);
      const present = await by().get(read[0], read[1]());
      for (const value of [old, '"x"', '"x.y"', `W/${await tag()}`]) {
        const { status, body } = await send(5, value);
        expect([value, status, body.data?.reason]).toEqual([value, 412, 'etag_mismatch']);
      }
      expect((await by().get(read[0], read[1]())).text).toBe(present.text);
    });

    test('lets one of many at once through', async () => {
      const now = await tag();
      const replies = await Promise.all(times(5, (n) => send(6 + n, now)));
      expect(statuses(replies)).toEqual([200, 412, 412, 412, 412]);
    });
  },
);

test('an organization is deleted only as it was read', async () => {
  const tag = await tagOf(ada, 'organization.one', { organizationId });
  await ada.post('organization.update', { organizationId, name: 'Renamed' });
  const remove = (ifMatch: string) =>
    ada.post('organization.delete', { organizationId }, { 'if-match': ifMatch });
  expect((await remove(tag)).status).toBe(412);
  expect((await remove(await tagOf(ada, 'organization.one', { organizationId }))).status).toBe(200);
});

test('changes of something else than the update could overwrite do not stop it', async () => {
  const tag = await tagOf(ada, 'organization.active');
  await h.sql`update organizations set updated_at = now(), logo = logo where id = ${organizationId}`;
  const [own] = await h.sql<{ id: string }[]>`
    select organization_id as id from memberships where user_id = ${ada.id} and is_default`;
  const input = { organizationId: own?.id, name: 'Renamed' };
  expect((await ada.post('organization.update', input, { 'if-match': tag })).status).toBe(200);
});

test('whoever may not change it is told so, whatever the tag', async () => {
  const stranger = await h.user();
  const input = { organizationId, name: 'Mine' };
  const { status } = await stranger.post('organization.update', input, { 'if-match': '"x.y"' });
  expect(status).toBe(404);
});

describe('an If-Match that cannot be kept is 400', () => {
  test.each(['', 'x', '"x', 'W/', '"a" "b"', '*, "a"', times(21, (n) => `"${n}"`).join()])(
    'when it is %j',
    async (value) => {
      const input = { organizationId, name: 'Bad' };
      const { status, body } = await ada.post('organization.update', input, { 'if-match': value });
      expect([status, body.data.reason]).toEqual([400, 'malformed_etag']);
    },
  );

  test('where nothing is compared: other mutations, uploads, reads, tRPC, /api/auth', async () => {
    const header = { 'if-match': '*' };
    const replies = [
      await ada.post('organization.create', { name: 'Bad' }, header),
      await ada.post('user.uploadAvatar', {}, header),
      await ada.send(pathOf('user.me'), { headers: header }),
      await ada.post('trpc/organization.update', { organizationId, name: 'Bad' }, header),
      await ada.post('auth/sign-out', {}, header),
    ];
    for (const { status, text } of replies) {
      expect(status).toBe(400);
      expect(text).toContain('if_match_unsupported');
    }
    expect(await h.sql`select 1 from organizations where name = 'Bad'`).toEqual([]);
  });
});
