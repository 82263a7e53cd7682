import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hashSecret } from '../../src/kernel/secrets.ts';
import { createHarness, type Harness, PASSWORD } from '../support/harness.ts';
import { invite, newAddress, tokenFor } from './stage.ts';

/* What is shown once is kept nowhere. */

let h: Harness;
beforeAll(async () => {
  h = await createHarness();
});
afterAll(() => h[Symbol.asyncDispose]());

/** Everything that the database holds, as text. */
async function dump(): Promise<string> {
  const tables = await h.sql<{ name: string }[]>`
    select quote_ident(schemaname) || '.' || quote_ident(tablename) as name from pg_tables
    where schemaname not in ('pg_catalog', 'information_schema')`;
  const rows = await Promise.all(
    tables.map(({ name }) => h.sql.unsafe<{ text: string }[]>(`select t::text as text from ${name} t`)),
  );
  return rows.flatMap((table) => table.map(({ text }) => text)).join('\n');
}

async function expectKeptNowhere(secret: string): Promise<string> {
  expect(secret.length).toBeGreaterThan(7);
  const everything = await dump();
  expect(everything.length).toBeGreaterThan(1000);
  for (const form of [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64')]) {
    expect(everything.includes(form)).toBe(false);
    expect(h.logLines.join('\n').includes(form)).toBe(false);
  }
  return everything;
}

describe('an API key', () => {
  test.each(['apiKey.create', 'user.createApiKey'])('of %s is kept as its SHA-256', async (name) => {
    const ada = await h.user();
    const organizationId = (await ada.get('organization.active')).body.id;
    const { body } = await ada.post(name, { name: 'deploy', metadata: { organizationId } });
    const secret = body.key.slice(body.start.length); // what is shown again later is not secret
    const everything = await expectKeptNowhere(secret);
    expect(everything).toContain(hashSecret(body.key));
    await expectKeptNowhere(body.key);

    const lists = [
      await ada.get('apiKey.all'),
      await ada.get('user.get'),
      await ada.get('auditLog.all', { organizationId }),
      await ada.post('apiKey.delete', { apiKeyId: body.id }),
    ];
    for (const { text } of lists) {
      expect(text).not.toContain(secret);
      expect(text).not.toContain(hashSecret(body.key));
    }
  });
});

test('the token of an invitation is kept as its SHA-256, also while its mail waits', async () => {
  const { id: organizationId, owner } = await h.organization();
  const { id, email } = await invite(owner, organizationId, newAddress());
  const waiting = await dump();
  const token = await tokenFor(h, email);
  expect(waiting.includes(token)).toBe(false);
  const everything = await expectKeptNowhere(token);
  expect(everything).toContain(hashSecret(token));

  const guest = await h.user({ email });
  const answers = [
    await owner.get('organization.allInvitations', { organizationId }),
    await owner.get('auditLog.all', { organizationId }),
    await guest.get('invitation.mine'),
    await guest.get('invitation.preview', { token }),
    await guest.post('invitation.accept', { invitationId: id }),
  ];
  for (const { text } of answers) {
    expect(text).not.toContain(token);
    expect(text).not.toContain(hashSecret(token));
  }
  await expectKeptNowhere(token);
});

test('a password is kept as argon2id, salted, and shown to nobody', async () => {
  const ada = await h.user();
  const eve = { name: 'Eve', email: 'eve@example.org', password: PASSWORD };
  expect((await h.anonymous.post('auth/sign-up/email', eve)).status).toBe(200);
  await expectKeptNowhere(PASSWORD);
  const hashes = await h.sql<{ password: string }[]>`
    select a.password from accounts a join users u on u.id = a.user_id where u.email in (${ada.email}, ${eve.email})`;
  for (const { password } of hashes) expect(password).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  expect(new Set(hashes.map(({ password }) => password)).size).toBe(2);

  const answers = [
    await ada.get('user.one', { userId: 'me' }),
    await ada.get('user.get'),
    await ada.get('auth/get-session'),
    await ada.get('auditLog.all'),
  ];
  for (const { status, text } of answers) {
    expect(status).toBe(200);
    for (const { password } of hashes) expect(text).not.toContain(password);
    expect(text).not.toMatch(/"(?:password|keyHash|tokenHash|token|hash|secret)"/i);
  }
});
