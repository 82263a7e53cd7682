import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkPrivateKey } from '../../src/domain/ssh-key/private-key.ts';
import { parsePublicKey } from '../../src/domain/ssh-key/public-key.ts';
import { decryptText } from '../../src/kernel/encryption.ts';
import { newId } from '../../src/kernel/ids.ts';
import vectors from '../domain/ssh-keys.json' with { type: 'json' };
import {
  type Caller,
  createHarness,
  type Harness,
  statuses,
  type TestUser,
  times,
  untilServed,
} from '../support/harness.ts';
import { newPublicKey } from '../support/ssh-keys.ts';

let h: Harness;
beforeAll(async () => {
  h = await createHarness();
  await h.user(); // the rootAdmin
});
afterAll(() => h[Symbol.asyncDispose]());

const PAIR = vectors.accepted.ed25519;
const create = (caller: Caller, input: Record<string, unknown> = {}) =>
  caller.post('sshKey.create', { name: 'deploy', publicKey: newPublicKey(), ...input });
const reasonOf = ({ status, body }: Awaited<ReturnType<Caller['post']>>) => [status, body.data?.reason];
const namesOf = ({ body }: { body: { name: string }[] }) => body.map(({ name }) => name);
const trail = (resourceId: string) => h.sql`
  select action, organization_id, user_id, user_role, before, after from audit_log
  where resource_type = 'sshKey' and resource_id = ${resourceId} order by id`;

describe('creating', () => {
  test('as Dokploy’s form does, with an empty private key, makes a key of the organization', async () => {
    const { id: organizationId, owner } = await h.organization();
    const publicKey = `${newPublicKey()} ada@laptop\n`;
    const { status, body } = await create(owner, {
      organizationId,
      publicKey,
      privateKey: '',
      description: null,
    });
    expect(status).toBe(200);
    const { fingerprint } = parsePublicKey(publicKey);
    expect(body).toEqual({
      id: body.sshKeyId,
      sshKeyId: body.id,
      userId: null,
      organizationId,
      name: 'deploy',
      description: null,
      publicKey: publicKey.split(' ').slice(0, 2).join(' '),
      type: 'ssh-ed25519',
      bits: 256,
      fingerprint,
      hasPrivateKey: false,
      lastUsedAt: null,
      createdAt: body.createdAt,
    });
    expect((await owner.get('sshKey.one', { sshKeyId: body.id })).body).toEqual(body);
    expect((await owner.get('sshKey.all', { organizationId })).body).toEqual([body]);
    expect(await trail(body.id)).toMatchObject([
      { action: 'create', organizationId, userId: owner.id, userRole: 'owner', after: { fingerprint } },
    ]);
  });

  test('without an organization makes a key of the caller', async () => {
    const ada = await h.user();
    const { body } = await create(ada);
    expect(body).toMatchObject({ userId: ada.id, organizationId: null });
    expect((await ada.get('sshKey.all', { scope: 'user' })).body).toEqual([body]);
    expect((await ada.get('sshKey.all')).body).toEqual([]);
    expect(await trail(body.id)).toMatchObject([{ organizationId: null, userId: ada.id }]);
  });

  test('keeps a private key encrypted, and shows it to nobody', async () => {
    const { id: organizationId, owner } = await h.organization();
    const { publicKey, privateKey } = PAIR;
    const { body } = await create(owner, { organizationId, publicKey, privateKey });
    expect(body).toMatchObject({ hasPrivateKey: true, fingerprint: PAIR.fingerprint });
    const sshKeyId = body.id;
    const answers = [
      await owner.get('sshKey.one', { sshKeyId }),
      await owner.get('sshKey.all', { organizationId }),
      await create(owner, { organizationId, publicKey, privateKey }),
      await create(owner, { organizationId, publicKey: newPublicKey(), privateKey }),
      await create(owner, { organizationId, publicKey, privateKey: privateKey.replace('b3Blbn', 'b4Blbn') }),
      await owner.post('sshKey.update', { sshKeyId, name: 'renamed' }),
      await owner.get('auditLog.all', { organizationId }),
    ];
    const [row] = await h.sql`select to_jsonb(k) as row from ssh_keys k where id = ${sshKeyId}`;
    answers.push(await owner.post('sshKey.remove', { sshKeyId }));
    const audit = await h.sql`select to_jsonb(a) as row from audit_log a where resource_id = ${sshKeyId}`;
    const everywhere = [
      ...answers.map(({ text }) => text),
      JSON.stringify(row),
      JSON.stringify(audit),
      ...h.logLines,
    ];
    const secret = privateKey.split('\n').slice(1, -2);
    for (const line of secret) for (const text of everywhere) expect(text.includes(line)).toBe(false);
    const stored = row?.row.private_key;
    expect(everywhere.filter((text) => text.includes(stored))).toHaveLength(1); // the row itself
    expect(decryptText(h.app.deps.rules.secret, 'ssh key', sshKeyId, stored)).toBe(privateKey);
  });

  test('with a private key of another is 400 naming the field', async () => {
    const ada = await h.user();
    const { status, body } = await create(ada, { privateKey: PAIR.privateKey });
    expect(status).toBe(400);
    expect(body).toMatchObject({
      issues: [{ path: ['privateKey'], code: 'private_key_mismatch' }],
      data: { reason: 'private_key_mismatch' },
    });
    expect((await ada.get('sshKey.all', { scope: 'user' })).body).toEqual([]);
  });

  test.each([
    ['a DSA key', { publicKey: vectors.refused.dsa }, 'ssh_key_type'],
    ['a certificate', { publicKey: vectors.refused.certificate }, 'ssh_key_type'],
    ['a short RSA key', { publicKey: vectors.refused['rsa of 1024 bits'] }, 'ssh_key_size'],
    ['text', { publicKey: 'ssh-ed25519 AAAA' }, 'ssh_key_invalid'],
    ['too much text', { publicKey: 'x'.repeat(16_385) }, 'invalid_input'],
    ['too much of a private key', { privateKey: 'x'.repeat(32_769) }, 'invalid_input'],
    ['a name of two lines', { name: 'a\nb' }, 'invalid_input'],
    ['a long name', { name: 'x'.repeat(65) }, 'invalid_input'],
    ['a long description', { description: 'x'.repeat(513) }, 'invalid_input'],
  ])('%s is 400', async (_, input, reason) => {
    expect(reasonOf(await create(await h.user(), input))).toEqual([400, reason]);
  });

  test('the same key again is 409 for the same owner alone', async () => {
    const { id: organizationId, owner } = await h.organization();
    const publicKey = newPublicKey();
    expect((await create(owner, { publicKey })).status).toBe(200);
    expect((await create(owner, { publicKey, organizationId })).status).toBe(200);
    for (const input of [{ publicKey: `${publicKey} other` }, { publicKey, organizationId }]) {
      const refused = await create(owner, input);
      expect(reasonOf(refused)).toEqual([409, 'ssh_key_exists']);
    }
    expect((await create(await h.user(), { publicKey })).status).toBe(200);
  });

  test.each(['user', 'organization'])('one key ten times at once is one, of a %s', async (kind) => {
    const { id, owner } = await h.organization();
    const publicKey = newPublicKey();
    const input = kind === 'user' ? { publicKey } : { publicKey, organizationId: id };
    const replies = await Promise.all(times(10, () => untilServed(() => create(owner, input))));
    expect(statuses(replies)).toEqual([200, ...times(9, () => 409)]);
  });

  test('the 100 keys of an owner are not exceeded, also at once', async () => {
    const { id: organizationId, owner } = await h.organization();
    await h.sql`insert into ssh_keys (id, organization_id, name, public_key, type, bits, fingerprint)
      select gen_random_uuid(), ${organizationId}, 'spare', 'x', 'x', 1, gen_random_uuid() from generate_series(1, 97)`;
    await h.sql`insert into ssh_keys (id, user_id, name, public_key, type, bits, fingerprint)
      select gen_random_uuid(), ${owner.id}, 'spare', 'x', 'x', 1, gen_random_uuid() from generate_series(1, 97)`;
    for (const input of [{ organizationId }, {}]) {
      const replies = await Promise.all(times(8, () => create(owner, input)));
      expect(statuses(replies)).toEqual([...times(3, () => 200), ...times(5, () => 412)]);
      expect(reasonOf(await create(owner, input))).toEqual([412, 'too_many_ssh_keys']);
    }
  });
});

describe('whose key it is', () => {
  async function stage() {
    const org = await h.organization();
    const [own, shared] = [
      (await create(org.owner)).body.id,
      (await create(org.owner, { organizationId: org.id })).body.id,
    ];
    return { ...org, own: own as string, shared: shared as string };
  }
  const attempts = (caller: Caller, sshKeyId: string) => [
    () => caller.get('sshKey.one', { sshKeyId }),
    () => caller.post('sshKey.update', { sshKeyId, name: 'x' }),
    () => caller.post('sshKey.remove', { sshKeyId }),
  ];

  test('a missing one, one of another user and one of another organization answer alike', async () => {
    const { own, shared, join: joinAs } = await stage();
    const [stranger, colleague] = [await h.user(), await joinAs('admin')];
    const missing = newId();
    const texts = async (caller: Caller, id: string) =>
      Promise.all(
        attempts(caller, id).map(async (attempt) => {
          const { status, text } = await attempt();
          return [status, text.replace(id, '')];
        }),
      );
    const expected = await texts(stranger, missing);
    expect(expected[0]).toEqual([404, expect.stringContaining('SSH key not found.')]);
    for (const id of [own, shared]) expect(await texts(stranger, id)).toEqual(expected);
    expect(await texts(colleague, own)).toEqual(expected); // a colleague's own key is none of the organization's
  });

  test('a member reads the organization’s keys and changes none', async () => {
    const { shared, join: joinAs } = await stage();
    const member = await joinAs('member');
    expect((await member.get('sshKey.all')).body).toMatchObject([{ id: shared }]);
    const replies = [];
    for (const attempt of attempts(member, shared)) replies.push((await attempt()).status);
    expect(replies).toEqual([200, 403, 403]);
    const admin = await joinAs('admin');
    for (const attempt of attempts(admin, shared)) expect((await attempt()).status).toBe(200);
  });

  test('platform staff are outsiders', async () => {
    const { own, shared } = await stage();
    const staff = await h.user();
    await h.sql`update users set role = 'admin' where id = ${staff.id}`;
    for (const id of [own, shared]) {
      for (const attempt of attempts(staff, id)) expect((await attempt()).status).toBe(404);
    }
  });

  test('keys go with their owner', async () => {
    const { id: organizationId, owner, own, shared } = await stage();
    await owner.post('organization.delete', { organizationId });
    expect(await h.sql`select id from ssh_keys where id in (${own}, ${shared})`).toEqual([{ id: own }]);
  });
});

describe('by an API key', () => {
  async function stage() {
    const { id: here, owner } = await h.organization();
    const { id: there } = await h.organization(owner);
    const ids = {
      own: (await create(owner)).body.id as string,
      here: (await create(owner, { organizationId: here })).body.id as string,
      there: (await create(owner, { organizationId: there })).body.id as string,
    };
    const see = async (caller: Caller) => {
      const seen = [];
      for (const [name, sshKeyId] of Object.entries(ids)) {
        if ((await caller.get('sshKey.one', { sshKeyId })).status === 200) seen.push(name);
      }
      return seen;
    };
    return { here, there, owner, ids, see };
  }

  test('of the whole user, everything', async () => {
    const { owner, here, see, ids } = await stage();
    const key = await h.key(owner, { scope: 'user', organizationId: here });
    expect(await see(key)).toEqual(['own', 'here', 'there']);
    expect((await create(key)).status).toBe(200);
    expect((await key.get('sshKey.all', { scope: 'user' })).body).toHaveLength(2);
    expect((await key.post('sshKey.remove', { sshKeyId: ids.own })).status).toBe(200);
  });

  test('bound to an organization, only its keys', async () => {
    const { owner, here, there, see, ids } = await stage();
    const key = await h.key(owner, { organizationId: here });
    expect(await see(key)).toEqual(['here']);
    expect(reasonOf(await create(key))).toEqual([403, 'key_is_limited']);
    expect(reasonOf(await key.get('sshKey.all', { scope: 'user' }))).toEqual([403, 'key_is_limited']);
    expect((await create(key, { organizationId: there })).status).toBe(404);
    expect((await create(key, { organizationId: here })).status).toBe(200);
    expect((await key.get('sshKey.all', { organizationId: there })).status).toBe(404);
    for (const sshKeyId of [ids.own, ids.there]) {
      expect((await key.post('sshKey.update', { sshKeyId, name: 'x' })).status).toBe(404);
      expect((await key.post('sshKey.remove', { sshKeyId })).status).toBe(404);
    }
  });

  test('limited to permissions, those alone, and nothing of the user', async () => {
    const { owner, here, see, ids } = await stage();
    const reader = await h.key(owner, { scope: 'user', organizationId: here, permissions: ['sshKey:read'] });
    expect(await see(reader)).toEqual(['here', 'there']);
    expect((await reader.post('sshKey.remove', { sshKeyId: ids.here })).status).toBe(403);
    expect((await create(reader, { organizationId: here })).status).toBe(403);
    expect((await create(reader)).status).toBe(403);
    expect((await reader.post('sshKey.generate')).status).toBe(403);
  });
});

describe('listing', () => {
  test('is of the active organization, oldest first, in pages', async () => {
    const { id: organizationId, owner } = await h.organization();
    for (const name of ['a', 'b', 'c']) await create(owner, { name, organizationId });
    await owner.post('organization.setActive', { organizationId });
    expect(namesOf(await owner.get('sshKey.all'))).toEqual(['a', 'b', 'c']);
    const first = await owner.get('sshKey.all', { limit: 2 });
    expect(namesOf(first)).toEqual(['a', 'b']);
    const cursor = first.headers.get('x-next-cursor') ?? '';
    const second = await owner.get('sshKey.all', { limit: 2, cursor });
    expect([namesOf(second), second.headers.get('x-next-cursor')]).toEqual([['c'], null]);
  });
});

describe('updating', () => {
  const update = async (user: TestUser, sshKeyId: string, changes: Record<string, unknown>) =>
    user.post('sshKey.update', { sshKeyId, ...changes });

  test('keeps what is left out, clears what is null, and says what it was', async () => {
    const ada = await h.user();
    const { body: created } = await create(ada, { description: 'for the site' });
    const lastUsedAt = '2026-01-31T09:30:00.000Z';
    const { body } = await update(ada, created.id, { lastUsedAt });
    expect(body).toEqual({ ...created, lastUsedAt });
    await update(ada, created.id, { name: 'site', description: null });
    const after = await update(ada, created.id, { lastUsedAt: null });
    expect(after.body).toEqual({ ...created, name: 'site', description: null });
    expect((await trail(created.id))[2]).toMatchObject({
      action: 'update',
      before: { name: 'deploy', description: 'for the site', lastUsedAt },
      after: { name: 'site', description: null, lastUsedAt },
    });
  });

  test.each([
    ['an empty name', { name: '' }],
    ['a day', { lastUsedAt: '2026-01-31' }],
    ['a year that PostgreSQL does not know', { lastUsedAt: '0000-01-01T00:00:00Z' }],
    ['a year beyond four digits', { lastUsedAt: '9999-12-31T23:59:59-01:00' }],
  ])('%s is 400', async (_, changes) => {
    const ada = await h.user();
    expect((await update(ada, (await create(ada)).body.id, changes)).status).toBe(400);
  });

  test('changes neither the key nor its owner', async () => {
    const ada = await h.user();
    const { body } = await create(ada);
    const { publicKey, privateKey } = PAIR;
    const more = { publicKey, privateKey, userId: newId(), fingerprint: 'x', organizationId: newId() };
    expect((await update(ada, body.id, more)).body).toEqual(body);
  });
});

test('removing answers with what was removed, once', async () => {
  const ada = await h.user();
  const { body } = await create(ada);
  const remove = () => ada.post('sshKey.remove', { sshKeyId: body.id });
  const replies = await Promise.all([remove(), remove()]);
  expect(statuses(replies)).toEqual([200, 404]);
  expect(replies.find(({ status }) => status === 200)?.body).toEqual(body);
  expect(await trail(body.id)).toMatchObject([{ action: 'create' }, { action: 'delete' }]);
});

test('an inactive organization’s keys can be read, not changed', async () => {
  const { id: organizationId, owner } = await h.organization();
  const { body } = await create(owner, { organizationId });
  await owner.post('organization.update', { organizationId, active: false });
  const sshKeyId = body.id;
  expect((await owner.get('sshKey.one', { sshKeyId })).status).toBe(200);
  expect((await owner.get('sshKey.all', { organizationId })).body).toHaveLength(1);
  for (const refused of [
    await create(owner, { organizationId }),
    await owner.post('sshKey.update', { sshKeyId, name: 'x' }),
    await owner.post('sshKey.remove', { sshKeyId }),
  ]) {
    expect(reasonOf(refused)).toEqual([412, 'organization_inactive']);
  }
});

test('who was demoted while he waited removes nothing', async () => {
  const org = await h.organization();
  const admin = await org.join('admin');
  const { body } = await create(org.owner, { organizationId: org.id });
  const [reply] = await h.race(
    org.id,
    [() => admin.post('sshKey.remove', { sshKeyId: body.id })],
    (tx) => tx`update memberships set role = 'member' where id = ${admin.memberId}`,
  );
  expect(reply?.status).toBe(403);
});

describe('generating', () => {
  const hasSshKeygen = spawnSync('ssh-keygen', ['-?']).error === undefined;

  /** The public key that ssh-keygen finds in a private one. */
  function publicPartOf(privateKey: string): string {
    const directory = mkdtempSync(join(tmpdir(), 'tenantry-ssh-'));
    try {
      writeFileSync(join(directory, 'key'), privateKey, { mode: 0o600 });
      return spawnSync('ssh-keygen', ['-y', '-f', join(directory, 'key')], { encoding: 'utf8' }).stdout;
    } finally {
      rmSync(directory, { recursive: true });
    }
  }

  test.each([
    [undefined, 'ssh-ed25519', 256],
    ['ed25519', 'ssh-ed25519', 256],
    ['rsa', 'ssh-rsa', 4096],
  ])(
    '%s gives a pair that OpenSSH takes, and keeps nothing',
    { timeout: 60_000 },
    async (type, kind, bits) => {
      const ada = await h.user();
      const rows = () =>
        h.sql`select (select count(*) from ssh_keys) as keys, (select count(*) from audit_log) as log`;
      const before = await rows();
      const { status, body } = await ada.post('sshKey.generate', { type });
      expect(status).toBe(200);
      const parsed = parsePublicKey(body.publicKey);
      expect(parsed).toMatchObject({ type: kind, bits, publicKey: body.publicKey });
      expect(body.privateKey).toMatch(/^-----BEGIN OPENSSH PRIVATE KEY-----\n/);
      expect(checkPrivateKey(body.privateKey, parsed)).toBe(body.privateKey);
      if (hasSshKeygen) expect(publicPartOf(body.privateKey).trim()).toBe(body.publicKey);
      expect(await rows()).toEqual(before);
      expect(h.logLines.join('\n')).not.toContain(body.privateKey.split('\n')[2]);
      expect((await create(ada, body)).body).toMatchObject({ hasPrivateKey: true });
      const again = await ada.post('sshKey.generate');
      expect(again.body.publicKey).not.toBe(body.publicKey);
    },
  );

  test('has a limit', async () => {
    const ada = await h.user();
    const replies = await Promise.all(times(12, () => ada.post('sshKey.generate')));
    expect(statuses(replies)).toEqual([...times(10, () => 200), 429, 429]);
  });
});
