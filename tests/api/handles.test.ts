import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createHarness, type Harness, type TestUser } from '../support/harness.ts';

const BASE = 'panel.example.net';

let h: Harness;
let ada: TestUser;
let eve: TestUser;
beforeAll(async () => {
  h = await createHarness({ DNS_BASE_DOMAIN: BASE, MAX_ORGANIZATIONS_PER_USER: '1000' });
  ada = await h.user();
  eve = await h.user();
});
afterAll(() => h[Symbol.asyncDispose]());

const create = (user: TestUser, handle?: string, name = 'Acme') =>
  user.post('organization.create', { name, handle });
const isFree = async (handle: string): Promise<boolean> =>
  (await (await h.user()).get('organization.checkHandle', { handle })).body.available;

describe('refused for everybody', () => {
  test.each([
    ['the base domain', BASE, 'handle_base_domain'],
    ['a name above the base domain', 'example.net', 'handle_base_domain'],
    ['a reserved label', 'www', 'handle_reserved'],
    ['a reserved label of the base domain', `api.${BASE}`, 'handle_reserved'],
    ['a name below a reserved label', `shop.mail.${BASE}`, 'handle_reserved'],
    ['a reserved first label elsewhere', 'ns1.example.com', 'handle_reserved'],
    ['a public suffix', 'co.uk', 'handle_public_suffix'],
    ['a private suffix', 'github.io', 'handle_public_suffix'],
    ['an underscore', 'a_b.example.com', 'handle_invalid'],
    ['a space', 'a b.example.com', 'handle_invalid'],
    ['a leading hyphen', '-a.example.com', 'handle_invalid'],
    ['a trailing dot', 'acme.example.com.', 'handle_invalid'],
    ['an empty label', 'acme..example.com', 'handle_invalid'],
    ['a line break', 'acme.example.com\r\n', 'handle_invalid'],
    ['a line break inside', 'acme\r\n.example.com', 'handle_invalid'],
    ['letters beyond ASCII', 'äcme.example.com', 'handle_invalid'],
    ['a look-alike', 'аcme.example.com', 'handle_invalid'],
    ['a top label of one letter', 'acme.c', 'handle_invalid'],
    ['an address', '192.0.2.1', 'handle_invalid'],
    ['a label of 64 characters', `${'a'.repeat(64)}.example.com`, 'handle_invalid'],
    ['254 characters', `${'a.'.repeat(125)}comm`, 'invalid_input'],
    ['nothing', '', 'invalid_input'],
  ])('%s', async (_, handle, reason) => {
    const created = await create(ada, handle);
    expect([created.status, created.body.data.reason]).toEqual([400, reason]);
    expect(created.body.issues[0].path).toEqual(['handle']);

    const owner = await h.user();
    const [{ id, handle: before }] = (await owner.get('organization.all')).body;
    const updated = await owner.post('organization.update', { organizationId: id, handle });
    expect([updated.status, updated.body.data.reason]).toEqual([400, reason]);
    expect((await owner.get('organization.one', { organizationId: id })).body.handle).toBe(before);

    const checked = await owner.get('organization.checkHandle', { handle });
    if (reason === 'invalid_input') expect(checked.status).toBe(400);
    else expect(checked.body).toEqual({ available: false, reason });
  });

  test('100 KB, at once', async () => {
    const start = performance.now();
    for (const part of ['a', 'a.', 'a-', '-']) {
      expect((await create(ada, part.repeat(100_000 / part.length))).status).toBe(400);
    }
    expect(performance.now() - start).toBeLessThan(2000);
  });
});

describe('names above and below one another', () => {
  test('belong to one organization', async () => {
    expect((await create(ada, 'shop.acme.com')).status).toBe(200);
    for (const handle of [
      'shop.acme.com',
      'SHOP.acme.com',
      'acme.com',
      'eu.shop.acme.com',
      'a.b.shop.acme.com',
    ]) {
      for (const user of [ada, eve]) {
        const { status, body } = await create(user, handle);
        expect([status, body.data.reason, body.issues[0].path]).toEqual([409, 'handle_taken', ['handle']]);
      }
      expect(await isFree(handle)).toBe(false);
    }
    for (const handle of ['blog.acme.com', 'myshop.acme.com', 'shop.acme.org', 'shop.acme.co']) {
      expect(await isFree(handle)).toBe(true);
      expect((await create(eve, handle)).status).toBe(200);
    }
  });

  test('hold below the base domain too', async () => {
    expect((await create(ada, 'globex')).body.handle).toBe(`globex.${BASE}`);
    expect((await create(eve, `globex.${BASE}`)).status).toBe(409);
    expect((await create(eve, `shop.globex.${BASE}`)).status).toBe(409);
    expect((await create(eve, `globex2.${BASE}`)).status).toBe(200);
  });

  test('hold for a change of handle, except against its own', async () => {
    const { body: acme } = await create(ada, 'initech.com');
    const { body: other } = await create(eve, 'initrode.com');
    const rename = (user: TestUser, organizationId: string, handle: string) =>
      user.post('organization.update', { organizationId, handle });
    expect((await rename(eve, other.id, 'initech.com')).status).toBe(409);
    expect((await rename(eve, other.id, 'eu.initech.com')).status).toBe(409);
    expect((await rename(ada, acme.id, 'eu.initech.com')).body.handle).toBe('eu.initech.com');
    expect((await rename(ada, acme.id, 'INITECH.com')).body.handle).toBe('initech.com');
    expect((await rename(ada, acme.id, 'initech.org')).status).toBe(200);
    expect((await rename(eve, other.id, 'initech.com')).status).toBe(200); // given up by the change
  });

  test('are free again after the organization is deleted', async () => {
    const { body } = await create(ada, 'hooli.com');
    expect(await isFree('hooli.com')).toBe(false);
    await ada.post('organization.delete', { organizationId: body.id });
    expect(await isFree('hooli.com')).toBe(true);
    expect((await create(eve, 'www2.hooli.com')).status).toBe(200);
  });
});

describe('made from the name', () => {
  test.each([
    ['Umbrella Corp.', /^umbrella-corp\.panel\.example\.net$/],
    ['Umbrella Corp', /^umbrella-corp-[a-z2-9]{5}\.panel\.example\.net$/], // taken by the one above
    ['Ünïted', /^united\.panel\.example\.net$/],
    ['API', /^api-[a-z2-9]{5}\.panel\.example\.net$/],
    ['日本', /^org\.panel\.example\.net$/],
    ['東京', /^org-[a-z2-9]{5}\.panel\.example\.net$/],
    ['x'.repeat(64), /^x{40}\.panel\.example\.net$/],
    ['a.b', /^a-b\.panel\.example\.net$/],
  ])('%s', async (name, handle) => {
    const { status, body } = await create(ada, undefined, name);
    expect(status).toBe(200);
    expect(body.handle).toMatch(handle);
  });
});

test('checkHandle is limited to 30 in 60 seconds', async () => {
  const user = await h.user();
  const check = () => user.get('organization.checkHandle', { handle: 'acme.example.com' });
  for (let call = 0; call < 30; call += 1) expect((await check()).status).toBe(200);
  const { status, headers } = await check();
  expect(status).toBe(429);
  expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
});
