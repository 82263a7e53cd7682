import { afterAll, beforeAll, expect, test } from 'vitest';
import { newId } from '../../src/kernel/ids.ts';
import { hashSecret } from '../../src/kernel/secrets.ts';
import { createHarness, type Harness, times } from '../support/harness.ts';
import { invite, tokenFor } from './stage.ts';

let h: Harness;
beforeAll(async () => {
  h = await createHarness();
  await h.user(); // the first account is the rootAdmin
});
afterAll(() => h[Symbol.asyncDispose]());

test("an account's data is exported whole, and nobody else's", async () => {
  const org = await h.organization();
  const [ada, other] = [await org.join('admin'), await org.join('admin')];
  await h.sql`update users set billing_city = 'Linz', settings = '{"theme":"dark"}', date_of_birth = '1990-12-31'
    where id = ${ada.id}`;
  const key = await h.key(ada, { name: 'deploy', organizationId: org.id });
  const sshKeyId = newId();
  await h.sql`insert into known_clients (user_id, client) values (${ada.id}, '2001:db8:0:7::/64')`;
  await h.sql`insert into ssh_keys (id, user_id, name, public_key, type, bits, fingerprint, private_key)
    values (${sshKeyId}, ${ada.id}, 'laptop', 'ssh-ed25519 AAAA', 'ssh-ed25519', 256, 'SHA256:x', 'canary-private')`;
  const sent = await invite(ada, org.id);
  const elsewhere = await h.organization();
  const received = await invite(elsewhere.owner, elsewhere.id, ada.email);
  await h.key(other, { name: 'not hers' });
  await invite(other, org.id);

  const { status, body, text } = await ada.get('user.export');
  expect(status).toBe(200);
  expect(body.profile).toMatchObject({
    ...{ id: ada.id, email: ada.email, billingCity: 'Linz', settings: { theme: 'dark' } },
    dateOfBirth: '1990-12-31',
  });
  expect(body.memberships).toMatchObject([
    { role: 'owner', isDefault: true },
    { id: ada.memberId, role: 'admin', organizationId: org.id, organizationName: 'Acme' },
  ]);
  expect(body.apiKeys).toMatchObject([{ id: key.id, name: 'deploy' }]);
  expect(body.sshKeys).toMatchObject([{ id: sshKeyId, publicKey: 'ssh-ed25519 AAAA', hasPrivateKey: true }]);
  const [session] = await h.sql<{ id: string }[]>`select id from sessions where user_id = ${ada.id}`;
  expect(body.sessions).toMatchObject([{ id: session?.id }]);
  expect(body.knownClients).toMatchObject([{ client: '2001:db8:0:7::/64' }]);
  expect(body.invitations).toMatchObject({ sent: [{ id: sent.id }], received: [{ id: received.id }] });
  const trail = await h.sql`select id from audit_log where user_id = ${ada.id} order by id desc`;
  expect(body.auditLog.map(({ id }: { id: string }) => id)).toEqual(trail.map(({ id }) => id));
  expect(text).not.toContain('not hers');
  expect(text).not.toContain(other.email);
});

test('no secret and no hash of one is in it', async () => {
  const { id: organizationId, owner } = await h.organization();
  const key = await h.key(owner, { organizationId });
  const { email } = await invite(owner, organizationId);
  const token = await tokenFor(h, email);
  const [stored] = await h.sql<{ password: string; session: string }[]>`
    select a.password, s.token as session from accounts a join sessions s on s.user_id = a.user_id
    where a.user_id = ${owner.id}`;
  await h.sql`insert into two_factors (user_id, secret) values (${owner.id}, 'canary-totp')`;
  await h.sql`insert into recovery_codes (id, user_id, code_hash) values (${newId()}, ${owner.id}, 'canary-code')`;
  await h.sql`insert into email_tokens (id, user_id, purpose, email, token_hash, expires_at)
    values (${newId()}, ${owner.id}, 'verify', ${owner.email}, 'canary-mail', now())`;
  await h.sql`insert into ssh_keys (id, user_id, name, public_key, type, bits, fingerprint, private_key)
    values (${newId()}, ${owner.id}, 'laptop', 'ssh-ed25519 BBBB', 'ssh-ed25519', 256, 'SHA256:y', 'canary-private')`;
  const { status, text } = await owner.get('user.export');
  expect(status).toBe(200);
  const secrets = [key.key, hashSecret(key.key), token, hashSecret(token), stored?.password, stored?.session];
  for (const secret of secrets) {
    expect(secret?.length).toBeGreaterThan(7);
    expect(text).not.toContain(secret);
  }
  expect(text).not.toMatch(/canary|argon2/);
  expect(text).not.toMatch(/"(?:password|keyHash|tokenHash|token|hash|secret|privateKey)"/i);
});

test('invitations to an address that is not verified are not shown', async () => {
  const { id, owner } = await h.organization();
  const guest = await h.user({ verified: false });
  await invite(owner, id, guest.email);
  const { status, body } = await guest.get('user.export');
  expect([status, body.invitations.received]).toEqual([200, []]);
});

test('it is for sessions and unlimited keys, a few times a minute', async () => {
  const user = await h.user();
  const bound = await (await h.key(user)).get('user.export');
  expect([bound.status, bound.body.data.reason]).toEqual([403, 'key_is_limited']);
  expect((await (await h.key(user, { scope: 'user' })).get('user.export')).status).toBe(200);
  const replies = await Promise.all(times(5, () => user.get('user.export')));
  expect(replies.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 429]);
});
