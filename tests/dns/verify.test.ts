import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createCloudflareServer } from '../support/cloudflare.ts';
import { createHarness, type Harness, type TestUser, UNLIMITED } from '../support/harness.ts';
import { createPowerDnsServer, missingForPowerDns, type PowerDnsServer } from '../support/powerdns.ts';

/* Whose a domain is, is asked of the name servers of the internet, for which another PowerDNS stands here. */

const missing = missingForPowerDns();
if (missing !== undefined) test.skip(`with PowerDNS: ${missing}`, () => {});
const SOON = { timeout: 5_000, interval: 25 };

describe.skipIf(missing !== undefined)('a zone outside the base domain', () => {
  let [pdns, internet]: (PowerDnsServer | undefined)[] = [];
  let h: Harness;
  let owner: TestUser;
  let organizationId: string;
  beforeAll(async () => {
    [pdns, internet] = [await createPowerDnsServer(), await createPowerDnsServer()];
    const settings = { ...pdns.settings, DNS_RESOLVER: `127.0.0.1:${internet.port}` };
    h = await createHarness(settings, { rateLimiter: UNLIMITED });
    await delegate('example', 'ns.registry.example.'); // knows that a name does not exist
    owner = await h.user();
  }, 30_000);
  afterAll(async () => {
    await h?.[Symbol.asyncDispose]();
    await pdns?.[Symbol.asyncDispose]();
    await internet?.[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    organizationId = (await h.organization(owner)).id;
  });

  let zones = 0;
  async function zone() {
    const { status, body, text } = await owner.post('dnsZone.create', {
      organizationId,
      name: `domain${++zones}.example`,
    });
    expect(status, text).toBe(200);
    expect(body).toMatchObject({ status: 'pending', verifiedAt: null });
    const ids = { organizationId, zoneId: body.id };
    await vi.waitFor(async () => expect((await owner.get('dnsZone.one', ids)).body.inSync).toBe(true), SOON);
    return { ids, name: body.name as string, verification: body.verification };
  }
  const delegate = (name: string, to: string | string[], rrsets: object[] = []) =>
    internet?.api('POST', '/zones', { name: `${name}.`, kind: 'Native', nameservers: [to].flat(), rrsets });
  const txt = (name: string, content: string) => ({
    name: `${name}.`,
    type: 'TXT',
    ttl: 60,
    records: [{ content: `"${content}"`, disabled: false }],
  });
  const verify = async (ids: object) => (await owner.post('dnsZone.verify', ids)).body;

  test('is served, and stays pending as long as nothing is seen', async () => {
    const { ids, name } = await zone();
    expect(await pdns?.contents(name, 'NS')).toHaveLength(2);
    expect(await verify(ids)).toMatchObject({ status: 'pending', verifiedAt: null });
    await delegate(name, 'ns.elsewhere.example.', [txt(`_tenantry-challenge.${name}`, 'not the challenge')]);
    expect(await verify(ids)).toMatchObject({ status: 'pending' });
  });

  test('is active once its delegation is seen', async () => {
    const { ids, name } = await zone();
    await delegate(name, 'NS2.platform.test.');
    const verified = await verify(ids);
    expect(verified).toMatchObject({ status: 'active', verification: null });
    expect(verified.verifiedAt).not.toBeNull();
    const { body } = await owner.get('auditLog.all', { organizationId, limit: 1 });
    expect(body[0]).toMatchObject({ action: 'verify', after: { verified: true, proof: 'delegation' } });
  });

  test('is active once its challenge is seen, and with a challenge of its own', async () => {
    const [one, other] = [await zone(), await zone()];
    expect(one.verification).toMatchObject({ type: 'TXT', name: `_tenantry-challenge.${one.name}` });
    expect(one.verification.content).not.toBe(other.verification.content);
    const challenge = (content: string) => [txt(`_tenantry-challenge.${one.name}`, content)];
    await delegate(one.name, 'ns.elsewhere.example.', challenge(other.verification.content));
    expect(await verify(one.ids)).toMatchObject({ status: 'pending' });
    await internet?.api('PATCH', `/zones/${one.name}.`, {
      rrsets: challenge(one.verification.content).map((set) => ({ ...set, changetype: 'REPLACE' })),
    });
    expect(await verify(one.ids)).toMatchObject({ status: 'active' });
  });

  test('with the longest name there is can be served, and verified by its delegation', async () => {
    const label = 'a'.repeat(61);
    const name = `${label}.${label}.${label}.${'b'.repeat(59)}.example`;
    expect(name).toHaveLength(253);
    const { body } = await owner.post('dnsZone.create', { organizationId, name });
    const ids = { organizationId, zoneId: body.id };
    await vi.waitFor(async () => expect((await owner.get('dnsZone.one', ids)).body.inSync).toBe(true), SOON);
    expect(await verify(ids)).toMatchObject({ status: 'pending' });
    const soa = { content: 'ns.registry.example. hostmaster.example. 1 2 3 4 5', disabled: false };
    await delegate(name, 'ns2.platform.test.', [{ name: `${name}.`, type: 'SOA', ttl: 60, records: [soa] }]);
    expect(await verify(ids)).toMatchObject({ status: 'active' });
  });

  test('below a zone that the server has from somebody else it takes nothing over until it is proved', async () => {
    const a = (name: string) => ({
      name,
      type: 'A',
      ttl: 60,
      records: [{ content: '192.0.2.99', disabled: false }],
    });
    const theirs = { name: 'hoster.example.', kind: 'Native', nameservers: ['ns1.platform.test.'] };
    await pdns?.api('POST', '/zones', { ...theirs, rrsets: [a('*.hoster.example.')] });
    const name = 'shop.hoster.example';
    const { body } = await owner.post('dnsZone.create', { organizationId, name });
    const ids = { organizationId, zoneId: body.id };
    await owner.post('dnsRecord.create', { ...ids, name: '@', type: 'A', content: '192.0.2.1' });
    await vi.waitFor(async () => {
      const { body: shown } = await owner.get('dnsZone.one', ids);
      expect(shown.lastError).toMatch(/has a zone hoster\.example that is not from this service/);
      expect(shown.status).toBe('pending');
    }, SOON);
    expect(await pdns?.contents(name, 'A')).toEqual(['192.0.2.99']);
    await delegate('hoster.example', 'ns1.platform.test.', [
      txt(`_tenantry-challenge.${name}`, body.verification.content),
    ]);
    await verify(ids);
    await vi.waitFor(async () => {
      expect((await owner.get('dnsZone.one', ids)).body).toMatchObject({ status: 'active', lastError: null });
    }, SOON);
    expect(await pdns?.contents(name, 'A')).toEqual(['192.0.2.1']);
  });

  test('at Cloudflare is active once its delegation to both name servers is seen, and to no other', async () => {
    const cloudflare = await createCloudflareServer();
    const settings = { ...cloudflare.settings, DNS_RESOLVER: `127.0.0.1:${internet?.port}` };
    const there = await createHarness(settings, { rateLimiter: UNLIMITED });
    const { id, owner: person } = await there.organization();
    const [ada, bob, eve] = ['ada', 'bob', 'eve'].map((host) => `${host}.ns.cloudflare.test.`);
    const expected = [
      [[ada, eve], 'pending'],
      [[ada], 'pending'],
      [[ada, bob, eve], 'pending'],
      [[bob, ada], 'active'],
    ] as const;
    for (const [n, [hosts, status]] of expected.entries()) {
      const name = `at-cloudflare${n}.example`;
      const { body } = await person.post('dnsZone.create', { organizationId: id, name });
      const ids = { organizationId: id, zoneId: body.id };
      expect((await person.post('dnsZone.verify', ids)).body.status).toBe('pending');
      await vi.waitFor(
        async () => expect((await person.get('dnsZone.one', ids)).body.inSync).toBe(true),
        SOON,
      );
      await delegate(name, hosts.map(String));
      expect((await person.post('dnsZone.verify', ids)).body.status, hosts.join()).toBe(status);
    }
    await there[Symbol.asyncDispose]();
    await cloudflare[Symbol.asyncDispose]();
  });

  test('cannot be told when no name server answers: 503, and nothing changes', async () => {
    const { ids } = await zone();
    await internet?.stop();
    const { status, body } = await owner.post('dnsZone.verify', ids);
    expect([status, body.data.reason]).toEqual([503, 'dns_lookup_failed']);
    await internet?.start();
    expect((await owner.get('dnsZone.one', ids)).body.status).toBe('pending');
  }, 20_000);
});

test('a zone of a handle inside the base domain needs no proof', async () => {
  const h = await createHarness();
  const organization = await h.organization();
  const { body } = await organization.owner.get('dnsZone.all', { organizationId: organization.id });
  expect(body.items).toMatchObject([{ verification: null, status: 'pending', provider: 'custom' }]);
  expect(body.items[0].verifiedAt).not.toBeNull();
  await h[Symbol.asyncDispose]();
});
