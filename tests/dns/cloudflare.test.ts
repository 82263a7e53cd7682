import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type CloudflareServer, createCloudflareServer } from '../support/cloudflare.ts';
import { createHarness, type Harness, type TestUser, times, UNLIMITED } from '../support/harness.ts';

/* The reconciler with Cloudflare: what it is told when calls are lost, refused and limited. */

const SOON = { timeout: 10_000, interval: 25 };

let cloudflare: CloudflareServer;
let h: Harness;
let owner: TestUser;
beforeAll(async () => {
  cloudflare = await createCloudflareServer();
  h = await createHarness(
    { ...cloudflare.settings, MAX_ORGANIZATIONS_PER_USER: '1000', DNS_BASE_DOMAIN: 'platform.example' },
    { rateLimiter: UNLIMITED },
  );
  owner = await h.user();
});
afterAll(async () => {
  await h[Symbol.asyncDispose]();
  await cloudflare[Symbol.asyncDispose]();
});

let organizations = 0;
async function organization() {
  const { body } = await owner.post('organization.create', {
    name: 'Acme',
    handle: `acme${++organizations}`,
  });
  const { body: list } = await owner.get('dnsZone.all', { organizationId: body.id });
  const ids = { organizationId: body.id as string, zoneId: list.items[0].id as string };
  return { ids, zone: body.handle as string };
}
type Ids = Awaited<ReturnType<typeof organization>>['ids'];
const one = async (ids: Ids) => (await owner.get('dnsZone.one', ids)).body;
const inSync = (ids: Ids) =>
  vi.waitFor(async () => expect(await one(ids)).toMatchObject({ inSync: true, lastError: null }), SOON);
const create = async (ids: Ids, name: string, content = '192.0.2.1') => {
  const { status, text, body } = await owner.post('dnsRecord.create', { ...ids, name, type: 'A', content });
  expect(status, text).toBe(200);
  return body;
};
const served = (zone: string): string[] =>
  cloudflare
    .recordsOf(zone)
    .map(({ name, type, content }) => `${name} ${type} ${content}`)
    .sort();

test('a zone is made with its provider’s name servers, filled, changed and withdrawn', async () => {
  const { ids, zone } = await organization();
  const { id: recordId } = await create(ids, 'www');
  await inSync(ids);
  expect(await one(ids)).toMatchObject({
    provider: 'cloudflare',
    status: 'active',
    nameservers: ['ada.ns.cloudflare.test', 'bob.ns.cloudflare.test'],
  });
  expect(served(zone)).toEqual([`www.${zone} A 192.0.2.1`]);
  await owner.post('dnsRecord.update', { ...ids, recordId, content: '192.0.2.2' });
  await vi.waitFor(() => expect(served(zone)).toEqual([`www.${zone} A 192.0.2.2`]), SOON);
  await owner.post('organization.delete', { organizationId: ids.organizationId });
  await vi.waitFor(
    () => expect([...cloudflare.zones.values()].some(({ name }) => name === zone)).toBe(false),
    SOON,
  );
});

test('of a zone of 1,000 records one that changes is one that is sent', async () => {
  const { ids, zone } = await organization();
  const zoneFile = times(1_000, (n) => `h${n} A 192.0.2.1`).join('\n');
  expect((await owner.post('dnsZone.import', { ...ids, zoneFile })).status).toBe(200);
  await vi.waitFor(() => expect(served(zone)).toHaveLength(1_000), SOON);
  await inSync(ids);
  cloudflare.requests.length = 0;
  await create(ids, 'h7', '192.0.2.2');
  await vi.waitFor(() => expect(served(zone)).toHaveLength(1_001), SOON);
  const batches = cloudflare.requests.filter(({ method }) => method === 'POST');
  expect(batches.map(({ body }) => [body.deletes.length, body.posts.length])).toEqual([[0, 1]]);
});

test.each([
  ['making a zone', 'POST', /\/zones$/],
  ['a batch', 'POST', /\/batch$/],
])('an answer to %s that is lost leads to nothing twice', async (_, method, path) => {
  let breaks = 1;
  cloudflare.breakAfter((request) => request.method === method && path.test(request.path) && breaks-- > 0);
  const { ids, zone } = await organization();
  await create(ids, 'www');
  await create(ids, 'mail');
  await inSync(ids);
  expect(breaks).toBeLessThanOrEqual(0);
  cloudflare.breakAfter(undefined);
  expect([...cloudflare.zones.values()].filter(({ name }) => name === zone)).toHaveLength(1);
  expect(served(zone)).toEqual([`mail.${zone} A 192.0.2.1`, `www.${zone} A 192.0.2.1`]);
});

test('a rate limit is waited for, also when the zone changes meanwhile', async () => {
  const { ids } = await organization();
  await inSync(ids);
  cloudflare.limit(1);
  await create(ids, 'www');
  await vi.waitFor(
    async () => expect(await one(ids)).toMatchObject({ lastError: 'Cloudflare asks for patience.' }),
    SOON,
  );
  const asked = cloudflare.requests.length;
  await create(ids, 'mail');
  const [row] = await h.sql`select next_attempt_at = blocked_until as waits from dns_provider_zones
    where name = (select name from dns_zones where id = ${ids.zoneId})`;
  expect(row?.waits).toBe(true);
  expect(cloudflare.requests.length).toBe(asked);
  await inSync(ids);
});

test('what was refused keeps nothing else back, and is told without the credential', async () => {
  const { ids, zone } = await organization();
  await inSync(ids);
  await h.sql`insert into dns_records (id, zone_id, name, type, content, ttl)
    values (gen_random_uuid(), ${ids.zoneId}, 'poison', 'TXT', 'not quoted', 300)`;
  for (const name of ['a', 'b', 'c']) await create(ids, name);
  await vi.waitFor(async () => {
    expect(served(zone)).toHaveLength(3);
    expect((await one(ids)).lastError).toMatch(/^Cloudflare refuses this: TXT content is not quoted\./);
  }, SOON);
  const texts = [
    JSON.stringify(await one(ids)),
    h.logLines.join(),
    JSON.stringify(await h.sql`select * from jobs`),
  ];
  for (const text of texts) expect(text).not.toContain(cloudflare.settings.CLOUDFLARE_API_TOKEN);
});

test('an account’s own zone is neither filled nor removed', async () => {
  const zone = `acme${organizations + 1}.platform.example`;
  cloudflare.foreign(zone, [{ name: zone, type: 'A', ttl: 60, content: '203.0.113.1' }]);
  const { ids } = await organization();
  await vi.waitFor(async () => expect((await one(ids)).lastError).toMatch(/not from this service/), SOON);
  await owner.post('dnsZone.delete', ids);
  await vi.waitFor(
    async () => expect(await h.sql`select 1 from dns_provider_zones where name = ${zone}`).toHaveLength(0),
    SOON,
  );
  expect(served(zone)).toEqual([`${zone} A 203.0.113.1`]);
});
