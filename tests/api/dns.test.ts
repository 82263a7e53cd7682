import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { listRecords } from '../../src/domain/dns-record/index.ts';
import type { OrganizationActor } from '../../src/domain/principal.ts';
import { adoptZones } from '../../src/domain/zone-sync/index.ts';
import { isWithin } from '../../src/kernel/handles.ts';
import { createCloudflare } from '../../src/platform/dns/cloudflare.ts';
import { hold } from '../http/held.ts';
import {
  type Body,
  type Caller,
  createHarness,
  type Harness,
  statuses,
  type TestUser,
  times,
  UNLIMITED,
} from '../support/harness.ts';
import { standstillsUntil, untilBlocked } from './stage.ts';

/* Zones and records as their organization sees and changes them; no provider is configured here. */

let h: Harness;
let owner: TestUser;
let organizationId: string;
let zoneId: string;
let zone: string;
beforeAll(async () => {
  h = await createHarness(
    { MAX_ORGANIZATIONS_PER_USER: '1000', DNS_NAMESERVERS: 'ns1.platform.test' },
    { rateLimiter: UNLIMITED },
  );
  owner = await h.user();
});
afterAll(() => h[Symbol.asyncDispose]());
beforeEach(async () => {
  organizationId = (await h.organization(owner)).id;
  const { body } = await owner.get('dnsZone.all', { organizationId });
  ({ id: zoneId, name: zone } = body.items[0]);
});

const create = (record: object, by: Caller = owner) =>
  by.post('dnsRecord.create', { organizationId, zoneId, ...record });
const A = { name: 'www', type: 'A', content: '192.0.2.1' };
const update = (recordId: string, changes: object) =>
  owner.post('dnsRecord.update', { organizationId, zoneId, recordId, ...changes });
const list = async (query: object = {}): Promise<Body[]> =>
  (await owner.get('dnsRecord.all', { organizationId, zoneId, ...query })).body.items;
const refusal = ({ status, body }: { status: number; body: Body }) => [
  status,
  body.data?.reason,
  body.issues?.[0]?.path?.[0],
];
const createZone = (name: string, by = owner, inside = organizationId) =>
  by.post('dnsZone.create', { organizationId: inside, name });

describe('a zone', () => {
  test('comes with its organization, after its handle', async () => {
    const { body: organization } = await owner.get('organization.one', { organizationId });
    const { body } = await owner.get('dnsZone.one', { organizationId, zoneId });
    expect(body).toMatchObject({
      name: organization.handle,
      status: 'pending',
      lastError: null,
      inSync: false,
    });
    const { body: preview } = await owner.get('organization.deletePreview', { organizationId });
    expect(preview.deletes).toMatchObject({ dnsZones: 1, dnsRecords: 0 });
  });

  test('is read by members, changed by admins, and neither while DNS is off', async () => {
    const made = await h.organization(owner);
    const ids = {
      organizationId: made.id,
      zoneId: (await owner.get('dnsZone.all', { organizationId: made.id })).body.items[0].id,
    };
    const [member, admin] = [await made.join('member'), await made.join('admin')];
    expect((await member.get('dnsRecord.all', ids)).status).toBe(200);
    expect((await member.post('dnsRecord.create', { ...ids, ...A })).status).toBe(403);
    expect((await admin.post('dnsRecord.create', { ...ids, ...A })).status).toBe(200);
    const root = await h.user();
    await h.sql`update users set role = 'rootAdmin' where id = ${root.id}`;
    await root.post('settings.update', { dns: false });
    expect(refusal(await admin.get('dnsZone.all', ids))).toEqual([503, 'dns_off', undefined]);
    expect((await member.post('dnsRecord.create', { ...ids, ...A })).status).toBe(403);
    expect((await root.get('dnsZone.all', ids)).status).toBe(404);
    await root.post('settings.update', { dns: true });
    await owner.post('organization.update', { organizationId: made.id, active: false });
    expect(refusal(await admin.post('dnsRecord.create', { ...ids, ...A, name: 'b' }))).toEqual([
      412,
      'organization_inactive',
      undefined,
    ]);
  });

  test.each([
    ['tenantry.internal', 'zone_base_domain'],
    ['www.example.net', 'zone_reserved'],
    ['mail.tenantry.internal', 'zone_reserved'],
    ['platform.test', 'zone_reserved'],
    ['ns1.platform.test', 'zone_reserved'],
    ['co.uk', 'zone_public_suffix'],
    ['com.', 'zone_invalid'],
    ['a_b.example.net', 'zone_invalid'],
    ['example.123', 'zone_invalid'],
    ['*.example.net', 'dns_name_invalid'],
    ['a..b', 'dns_name_invalid'],
  ])('%s cannot be one', async (name, reason) => {
    const reply = await createZone(name);
    expect(refusal(reply)).toEqual([400, reason, 'name']);
  });

  test('cannot be made above or below one of another organization, nor can a handle', async () => {
    const other = await h.organization(await h.user());
    await other.owner.post('organization.update', { organizationId: other.id, handle: 'their.example.net' });
    expect((await createZone('shop.example.org', other.owner, other.id)).status).toBe(200);
    for (const name of [
      'their.example.net',
      'a.their.example.net',
      'EXAMPLE.net.',
      'shop.example.org',
      'x.y.shop.example.org',
    ]) {
      expect(refusal(await createZone(name)), name).toEqual([409, 'dns_zone_taken', 'name']);
    }
    for (const handle of ['shop.example.org', 'a.shop.example.org', 'example.org']) {
      expect((await owner.post('organization.create', { name: 'Acme', handle })).status, handle).toBe(409);
      expect((await owner.get('organization.checkHandle', { handle })).body.available, handle).toBe(false);
    }
    expect((await createZone('notshop.example.org')).status).toBe(200);
    expect((await createZone(`sub.${zone}`)).status).toBe(200); // of one's own
    expect(refusal(await createZone(zone.toUpperCase()))).toEqual([409, 'dns_zone_exists', 'name']);
    expect((await createZone('Bücher.example')).body.name).toBe('xn--bcher-kva.example');
  });

  test('of names above and below one another none are together, whoever comes first', async () => {
    const people: TestUser[] = [];
    const homes: string[] = [];
    for (const _ of times(12, () => 0)) {
      const person = await h.user();
      people.push(person);
      homes.push((await person.get('organization.active')).body.id);
    }
    for (const round of times(5, (n) => n)) {
      const top = `race${round}.example`;
      const names = [top, `a.${top}`, `b.${top}`, `c.a.${top}`, `d.c.a.${top}`, `c.b.${top}`];
      const replies = await Promise.all(
        people.map((person, n) => {
          const name = names[(n * 7 + round) % names.length] ?? top;
          return n % 2 === 0
            ? createZone(name, person, homes[n])
            : person.post('organization.create', { name: 'Race', handle: name });
        }),
      );
      expect(statuses(replies).filter((status) => status !== 200 && status !== 409)).toEqual([]);
      const claimed = await h.sql<{ name: string; organizationId: string }[]>`
        select name, organization_id from dns_zones where name = ${top} or name like ${`%.${top}`}`;
      expect(claimed.length).toBeGreaterThan(0);
      for (const one of claimed) {
        for (const other of claimed) {
          if (one.organizationId !== other.organizationId) expect(isWithin(one.name, other.name)).toBe(false);
        }
      }
    }
  });

  test('moves with the handle, with records that point into it, and is proved anew', async () => {
    await create(A);
    await create({ name: '@', type: 'MX', content: '10 www' });
    const { body } = await owner.post('organization.update', { organizationId, handle: `m${zone}` });
    expect((await list()).map(({ name, content }) => `${name} ${content}`)).toEqual([
      `www.${body.handle} 192.0.2.1`,
      `${body.handle} 10 www.${body.handle}.`,
    ]);
    const { body: moved } = await owner.get('dnsZone.one', { organizationId, zoneId });
    expect(moved).toMatchObject({ name: body.handle });
    expect(await h.sql`select 1 from dns_provider_zones where name = ${zone}`).toHaveLength(0);
  });

  test('keeps its handle where names in it would be too long', async () => {
    await create({ ...A, name: times(3, () => 'x'.repeat(60)).join('.') });
    const handle = `${'a'.repeat(60)}.${'b'.repeat(60)}.example`;
    expect(refusal(await owner.post('organization.update', { organizationId, handle }))).toEqual([
      412,
      'dns_names_too_long',
      undefined,
    ]);
  });

  describe('keeps its handle where', () => {
    const x = times(3, () => 'x'.repeat(60)).join('.');
    test.each([
      [
        'an alias would point to itself',
        'self',
        [['www', 'CNAME', 'www.self.example.']],
        'here www.self.example',
      ],
      [
        'two records would be the same',
        'same',
        [
          ['@', 'MX', '10 mail'],
          ['@', 'MX', '10 mail.same.example.'],
        ],
        'There is this MX record of same.example already',
      ],
      [
        'a target would be too long',
        `${'a'.repeat(60)}.${'b'.repeat(60)}`,
        [['long', 'CNAME', `${x}.%zone.`]],
        'CNAME: The target xxx',
      ],
    ])('%s', async (_, handle, records, message) => {
      for (const [name, type, content = ''] of records) {
        const { status, text } = await create({ name, type, content: content.replace('%zone', zone) });
        expect(status, text).toBe(200);
      }
      const before = await list();
      const reply = await owner.post('organization.update', {
        organizationId,
        handle: `${handle}.example`,
      });
      expect(refusal(reply)).toEqual([412, 'dns_records_unfit', undefined]);
      expect(reply.body.message).toContain(message);
      expect(await list()).toEqual(before);
    });
  });

  test('moves below itself, where the new target of one record is the old one of another', async () => {
    await create({ name: '@', type: 'MX', content: '10 mail' });
    await create({ name: '@', type: 'MX', content: `10 mail.sub.${zone}.` });
    await create({ name: '@', type: 'MX', content: `10 mail.sub.sub.${zone}.` });
    const { status, text } = await owner.post('organization.update', {
      organizationId,
      handle: `sub.${zone}`,
    });
    expect(status, text).toBe(200);
    expect((await list()).map(({ content }) => content)).toEqual([
      `10 mail.sub.${zone}.`,
      `10 mail.sub.sub.${zone}.`,
      `10 mail.sub.sub.sub.${zone}.`,
    ]);
  });

  test('that was never served leaves nothing behind', async () => {
    await owner.post('dnsZone.delete', { organizationId, zoneId });
    expect((await owner.get('dnsZone.one', { organizationId, zoneId })).status).toBe(404);
    expect(await h.sql`select 1 from dns_provider_zones where name = ${zone}`).toHaveLength(0);
  });

  test('has room for 20,000 records', async () => {
    const fill = (count: number) => h.sql`
      insert into dns_records (id, zone_id, name, type, content, ttl)
      select gen_random_uuid(), ${zoneId}, 'h' || n, 'A', '192.0.2.1', 300 from generate_series(1, ${count}::int) n`;
    await fill(19_999);
    const replies = await h.race(
      organizationId,
      times(4, (n) => () => create({ ...A, name: `last${n}` })),
    );
    expect(statuses(replies)).toEqual([200, ...times(3, () => 412)]);
    const zoneFile = 'one-more A 192.0.2.1';
    const reply = await owner.post('dnsZone.import', { organizationId, zoneId, zoneFile, dryRun: true });
    expect(refusal(reply)).toEqual([412, 'too_many_dns_records', undefined]);
  });

  test('has room for 4,000,000 octets of contents', async () => {
    await h.sql`
      insert into dns_records (id, zone_id, name, type, content, ttl)
      select gen_random_uuid(), ${zoneId}, 'h' || n, 'TXT', '"' || repeat('x', 9998) || '"', 300
      from generate_series(1, 399) n`;
    const full = [412, 'dns_zone_too_large', undefined];
    const { body: www } = await create({ ...A, content: '192.0.2.10' });
    const replies = await h.race(
      organizationId,
      times(4, (n) => () => create({ name: `text${n}`, type: 'TXT', content: 'é'.repeat(1_000) })), // of 8,023 octets
    );
    expect(statuses(replies)).toEqual([200, ...times(3, () => 412)]);
    const text = await create({ name: 'text', type: 'TXT', content: 'x'.repeat(1_944) }); // the last 1,967
    expect(text.status, text.text).toBe(200);
    expect(refusal(await create(A))).toEqual(full);
    expect(refusal(await update(www.id, { content: '192.0.2.100' }))).toEqual(full);
    expect((await update(www.id, { content: '192.0.2.11' })).status).toBe(200);
    for (const dryRun of [true, false]) {
      const input = { organizationId, zoneId, zoneFile: 'b A 192.0.2.1', dryRun };
      expect(refusal(await owner.post('dnsZone.import', input))).toEqual(full);
    }
    await owner.post('dnsRecord.delete', { organizationId, zoneId, recordId: text.body.id });
    expect((await create({ ...A, content: '192.0.2.100' })).status).toBe(200);
  });

  test('is changed six times a minute by one person, records and exports twenty times', async () => {
    const limited = await createHarness();
    const { id, owner: person } = await limited.organization();
    const [home] = (await person.get('dnsZone.all', { organizationId: id })).body.items;
    const zones = await Promise.all(
      times(7, (n) => person.post('dnsZone.create', { organizationId: id, name: `z${n}.example` })),
    );
    expect(statuses(zones)).toEqual([200, 200, 200, 200, 200, 200, 429]);
    expect(Number(zones.find(({ status }) => status === 429)?.headers.get('retry-after'))).toBeGreaterThan(0);
    const records = await Promise.all(
      times(21, (n) =>
        person.post('dnsRecord.create', { organizationId: id, zoneId: home.id, ...A, name: `h${n}` }),
      ),
    );
    expect(statuses(records)).toEqual([...times(20, () => 200), 429]);
    const exports = await Promise.all(
      times(21, () => person.get('dnsZone.export', { organizationId: id, zoneId: home.id })),
    );
    expect(statuses(exports)).toEqual([...times(20, () => 200), 429]);
    await limited[Symbol.asyncDispose]();
  });
});

describe('a record', () => {
  test('is shown with its whole name and in its canonical form', async () => {
    const { body } = await create({
      name: 'MAIL',
      type: 'MX',
      content: 'Mail.Example.NET',
      priority: 5,
      ttl: 60,
    });
    expect(body).toMatchObject({
      zoneId,
      name: `mail.${zone}`,
      type: 'MX',
      content: '5 mail.example.net.',
      priority: 5,
      ttl: 60,
    });
    expect(await list({ name: `MAIL.${zone}.` })).toEqual([body]);
    expect(await list({ type: 'A' })).toEqual([]);
    const { body: one } = await owner.get('dnsRecord.one', { organizationId, zoneId, recordId: body.id });
    expect(one).toEqual(body);
  });

  test.each([
    [{ ...A, name: 'www.elsewhere.example.' }, [400, 'dns_name_outside_zone', 'name']],
    [{ ...A, name: 'tenantry.internal.' }, [400, 'dns_name_outside_zone', 'name']],
    [{ ...A, content: 'x' }, [400, 'dns_content_invalid', 'content']],
    [{ ...A, ttl: 59 }, [400, 'invalid_input', 'ttl']],
    [{ ...A, ttl: 86_401 }, [400, 'invalid_input', 'ttl']],
    [{ ...A, priority: 1 }, [400, 'dns_priority_unused', 'priority']],
    [{ ...A, type: 'PTR' }, [400, 'invalid_input', 'type']],
    [{ name: '@', type: 'CNAME', content: 'a.example.net' }, [409, 'dns_cname_at_apex', 'name']],
    [{ name: '@', type: 'NS', content: 'ns.example.net' }, [409, 'dns_own_nameservers', 'name']],
    [{ name: 'a', type: 'CNAME', content: 'a' }, [400, 'dns_content_invalid', 'content']],
  ])('%j is refused', async (record, expected) => {
    expect(refusal(await create(record))).toEqual(expected);
    expect(await list()).toEqual([]);
  });

  test('stands beside others, an alias beside none', async () => {
    const { body: www } = await create(A);
    expect(refusal(await create({ ...A, name: `WWW.${zone}.` }))).toEqual([
      409,
      'dns_record_exists',
      'content',
    ]);
    const alias = { name: 'www', type: 'CNAME', content: 'a.example.net' };
    expect(refusal(await create(alias))).toEqual([409, 'dns_cname_not_alone', 'name']);
    const { body: other } = await create({ ...alias, name: 'alias' });
    expect(refusal(await create({ ...A, name: 'alias' }))).toEqual([409, 'dns_cname_not_alone', 'name']);
    expect(refusal(await update(other.id, { name: 'www' }))).toEqual([409, 'dns_cname_not_alone', 'name']);
    expect(refusal(await update(www.id, { name: 'alias' }))).toEqual([409, 'dns_cname_not_alone', 'name']);
    expect((await update(www.id, { content: '192.0.2.1' })).status).toBe(200); // itself is no other
  });

  test('that says that there is no mail stands beside no other MX', async () => {
    const { body: none } = await create({ name: 'www', type: 'MX', content: '0 .' });
    await create(A);
    const mx = { name: 'www', type: 'MX', content: '10 mail' };
    expect(refusal(await create(mx))).toEqual([409, 'dns_null_mx_not_alone', 'content']);
    const { body: other } = await create({ ...mx, name: 'other' });
    expect(refusal(await update(other.id, { name: 'www' }))).toEqual([
      409,
      'dns_null_mx_not_alone',
      'content',
    ]);
    expect((await update(none.id, { content: '10 mail' })).status).toBe(200);
  });

  test('of a wildcard is no delegation, which would keep a name server from the whole export', async () => {
    const { body: below } = await create({ name: 'dev', type: 'NS', content: 'ns.example.net' });
    const wildcard = { name: '*.dev', type: 'NS', content: 'ns.example.net' };
    expect(refusal(await create(wildcard))).toEqual([400, 'dns_name_invalid', 'name']);
    expect(refusal(await create({ ...wildcard, name: '*' }))).toEqual([400, 'dns_name_invalid', 'name']);
    expect(refusal(await update(below.id, { name: '*' }))).toEqual([400, 'dns_name_invalid', 'name']);
    const file = { organizationId, zoneId, zoneFile: '* 60 NS ns.example.net.' };
    const imported = await owner.post('dnsZone.import', file);
    expect([imported.status, imported.body.message]).toEqual([400, expect.stringContaining(`*.${zone}`)]);
  });

  test('shares its TTL with those of its name and type', async () => {
    const { body: first } = await create({ ...A, ttl: 300 });
    const { body: second } = await create({ ...A, content: '192.0.2.2' });
    expect(second.ttl).toBe(300);
    await create({ ...A, type: 'TXT', content: 'text' });
    await update(second.id, { ttl: 600 });
    expect((await list()).map(({ type, ttl }) => [type, ttl])).toEqual([
      ['A', 600],
      ['A', 600],
      ['TXT', 3600],
    ]);
    const { body: moved } = await create({ ...A, name: 'other', ttl: 60 });
    expect((await update(first.id, { name: 'other', content: '192.0.2.3' })).body.ttl).toBe(moved.ttl);
  });

  test('changes the TTL of others only for those who may, and the trail says what it was', async () => {
    await create({ ...A, ttl: 300 });
    const key = await h.key(owner, { organizationId, permissions: ['dnsRecord:create'] });
    const second = { ...A, content: '192.0.2.2' };
    expect(refusal(await create({ ...second, ttl: 60 }, key))).toEqual([
      403,
      'permission_missing',
      undefined,
    ]);
    expect((await create({ ...second, ttl: 300 }, key)).status).toBe(200);
    expect((await create({ ...A, content: '192.0.2.3' }, key)).body.ttl).toBe(300);
    expect((await create({ ...A, type: 'AAAA', content: '::1', ttl: 60 }, key)).status).toBe(200);
    expect((await create({ ...A, content: '192.0.2.4', ttl: 60 })).status).toBe(200);
    const { body } = await owner.get('auditLog.all', { organizationId, limit: 2 });
    expect(body[0]).toMatchObject({
      action: 'create',
      before: { name: `www.${zone}`, type: 'A', ttl: 300 },
      after: { content: '192.0.2.4', ttl: 60 },
    });
    expect(body[1].before).toBeNull();
    const { body: moving } = await create({ ...A, name: 'other', ttl: 120 });
    await update(moving.id, { name: 'www', content: '192.0.2.5', ttl: 240 });
    const { body: moves } = await owner.get('auditLog.all', { organizationId, limit: 1 });
    expect(moves[0].before).toEqual({
      name: `other.${zone}`,
      type: 'A',
      content: '192.0.2.1',
      ttl: 120,
      ttlOfOthers: 60,
    });
  });

  test('of a long text can get another TTL and name, and still no priority', async () => {
    const { body: text } = await create({ name: 'text', type: 'TXT', content: 'ü'.repeat(2_000) });
    expect(text.content.length).toBe(16_047);
    const { status, body } = await update(text.id, { ttl: 120, name: 'other' });
    expect([status, body.name, body.ttl, body.content]).toEqual([200, `other.${zone}`, 120, text.content]);
    expect(refusal(await update(text.id, { priority: 1 }))).toEqual([400, 'dns_priority_unused', 'priority']);
    const again = await update(text.id, { content: text.content, ttl: 60 });
    expect([again.status, again.body.ttl, again.body.content]).toEqual([200, 60, text.content]);
    expect((await update(text.id, { content: 'short' })).body.content).toBe('"short"');
  });

  test('is one of 16 that are made at once', async () => {
    const replies = await h.race(
      organizationId,
      times(16, () => () => create(A)),
    );
    expect(statuses(replies)).toEqual([200, ...times(15, () => 409)]);
    const aliases = await h.race(
      organizationId,
      times(16, (n) => () => create({ name: 'alias', type: 'CNAME', content: `t${n}.example.net` })),
    );
    expect(statuses(aliases)).toEqual([200, ...times(15, () => 409)]);
  });

  test('is not overwritten unseen', async () => {
    const { body } = await create(A);
    const { headers } = await owner.get('dnsRecord.one', { organizationId, zoneId, recordId: body.id });
    const send = (content: string) =>
      owner.post(
        'dnsRecord.update',
        { organizationId, zoneId, recordId: body.id, content },
        { 'if-match': headers.get('etag') ?? '' },
      );
    expect((await send('192.0.2.2')).status).toBe(200);
    expect((await send('192.0.2.3')).status).toBe(412);
  });

  test('of another zone or organization is not found, by any combination of ids', async () => {
    const { body: mine } = await create(A);
    const other = await h.organization(await h.user());
    const [theirs] = (await other.owner.get('dnsZone.all', { organizationId: other.id })).body.items;
    const second = (await createZone(`second.${zone}`)).body.id;
    const attempts = [
      { organizationId, zoneId: theirs.id, recordId: mine.id },
      { organizationId, zoneId: second, recordId: mine.id },
      { organizationId: other.id, zoneId, recordId: mine.id },
    ];
    for (const ids of attempts) {
      expect((await owner.get('dnsRecord.one', ids)).status).toBe(404);
      expect((await owner.post('dnsRecord.update', { ...ids, content: '192.0.2.9' })).status).toBe(404);
      expect((await owner.post('dnsRecord.delete', ids)).status).toBe(404);
    }
    const bound = await h.key(owner, { organizationId: (await h.organization(owner)).id });
    expect((await bound.get('dnsRecord.one', attempts[0])).status).toBe(404);
    expect((await list()).map(({ content }) => content)).toEqual(['192.0.2.1']);
  });

  test('of whatever name lies in its zone, and touches no other', async () => {
    const other = await h.organization(await h.user());
    const [theirs] = (await other.owner.get('dnsZone.all', { organizationId: other.id })).body.items;
    const names = [
      theirs.name,
      `www.${theirs.name}`,
      zone,
      'tenantry.internal',
      'xn--mnchen-3ya',
      'münchen',
      '*',
    ];
    const spelled = fc
      .tuple(
        fc.constantFrom(...names, '@', 'a', 'com', '\u212a'),
        fc.constantFrom('', '.', '..'),
        fc.constantFrom('', '*.', 'a.', '_x.', '.', '\\', '\u3002'),
        fc.boolean(),
      )
      .map(([name, end, start, upper]) => `${start}${upper ? name.toUpperCase() : name}${end}`);
    await fc.assert(
      fc.asyncProperty(spelled, async (name) => {
        const { status, body } = await create({ name, type: 'TXT', content: `"${Math.random()}"` });
        expect([200, 400, 409]).toContain(status);
        if (status === 200) expect(isWithin(body.name.replace(/^\*\./, ''), zone)).toBe(true);
      }),
      { numRuns: 150 },
    );
    const rows = await h.sql`select 1 from dns_records where zone_id = ${theirs.id}`;
    expect(rows).toHaveLength(0);
  });
});

describe('a zone file', () => {
  const take = (zoneFile: string, options: object = {}) =>
    owner.post('dnsZone.import', { organizationId, zoneId, zoneFile, ...options });
  const counts = (added: number, updated: number, removed: number, unchanged: number) => ({
    added,
    updated,
    removed,
    unchanged,
  });

  test('is added, or replaces what is there, or is only counted', async () => {
    await create(A);
    const file = 'www 3600 A 192.0.2.1\nwww 3600 A 192.0.2.2\nmail 60 A 192.0.2.3';
    expect((await take(file, { dryRun: true })).body).toMatchObject({ ...counts(2, 0, 0, 1), dryRun: true });
    expect(await list()).toHaveLength(1);
    expect((await take(file)).body).toMatchObject(counts(2, 0, 0, 1));
    expect((await take('www 60 A 192.0.2.2')).body).toMatchObject(counts(0, 2, 0, 1));
    expect((await take('www 60 A 192.0.2.2', { mode: 'replace' })).body).toMatchObject(counts(0, 0, 2, 1));
    expect((await list()).map(({ name, ttl, content }) => [name, ttl, content])).toEqual([
      [`www.${zone}`, 60, '192.0.2.2'],
    ]);
  });

  test('is taken whole or not at all, and the line is named', async () => {
    await create(A);
    const line = await take('a A 192.0.2.1\nb A nonsense');
    expect(refusal(line)).toEqual([400, 'zone_file_invalid', 'zoneFile']);
    expect(line.body.message).toContain('Line 2');
    expect((await take('www CNAME a.example.net')).body.data.reason).toBe('dns_cname_not_alone');
    expect(await list()).toHaveLength(1);
  });

  test('takes away only for those who may', async () => {
    await create(A);
    const key = await h.key(owner, { organizationId, permissions: ['dnsRecord:create'] });
    const input = { organizationId, zoneId, zoneFile: 'b A 192.0.2.1' };
    expect(refusal(await key.post('dnsZone.import', { ...input, mode: 'replace' }))).toEqual([
      403,
      'permission_missing',
      undefined,
    ]);
    expect((await key.post('dnsZone.import', { ...input, zoneFile: 'www 60 A 192.0.2.1' })).status).toBe(403);
    expect((await key.post('dnsZone.import', input)).status).toBe(200);
  });

  test('comes out as it went in', async () => {
    await create({ name: '*', type: 'TXT', content: 'a "quoted" text; é' });
    await create({ name: '@', type: 'CAA', content: '0 issue "ca.example.net"' });
    const { body } = await owner.get('dnsZone.export', { organizationId, zoneId });
    expect(body.zoneFile).toContain('\n@\t3600\tIN\tNS\tns1.platform.test.\n');
    expect(body.zoneFile).toMatch(/^\$ORIGIN \S+\n\$TTL 3600\n@\t3600\tIN\tSOA\t/);
    expect((await take(body.zoneFile, { mode: 'replace' })).body).toMatchObject(counts(0, 0, 0, 2));
  });
});

test('of 10,000 records a page is read in under 10 ms, and the last page too', async () => {
  const zoneFile = times(10_000, (n) => `h${n} A 192.0.2.${n % 256}`).join('\n');
  const start = performance.now();
  expect((await owner.post('dnsZone.import', { organizationId, zoneId, zoneFile })).status).toBe(200);
  expect(performance.now() - start).toBeLessThan(10_000);
  const [near] = await h.sql<{ id: string }[]>`
    select id from dns_records where zone_id = ${zoneId} order by id offset 9900 limit 1`;
  const actor = { organizationId } as OrganizationActor;
  const filter = { type: null, name: null, limit: 51 };
  for (const cursor of [null, near?.id ?? '']) {
    const took: number[] = [];
    for (const _ of times(20, () => 0)) {
      const begin = performance.now();
      expect(await listRecords(h.app.deps, actor, zoneId, { ...filter, cursor })).toHaveLength(51);
      took.push(performance.now() - begin);
    }
    expect(Math.min(...took)).toBeLessThan(10); // what it takes when nothing else is done
  }
});

test('a zone that goes to the provider of another instance and a change of it do not wait for each other', async () => {
  const { dns, rules } = h.app.deps;
  const cloudflare = createCloudflare({ token: 'token', accountId: 'account', url: 'http://127.0.0.1:9' });
  const started = {
    ...h.app.deps,
    rules: { ...rules, dns: { ...rules.dns, provider: 'cloudflare' as const } },
    dns: { ...dns, providers: { cloudflare } },
  };
  const gate = await hold(
    h.databaseUrl,
    `select 1 from dns_provider_zones where name = '${zone}' for update`,
  );
  const adoption = adoptZones(started);
  await untilBlocked(h, 1);
  const change = create(A);
  await untilBlocked(h, 2);
  await gate.release();
  expect(await standstillsUntil(h, Promise.all([adoption, change]))).toBe(0);
  expect((await change).status).toBe(200);
  const known = await h.sql`select provider, version::int from dns_provider_zones where name = ${zone}`;
  expect(known).toEqual([{ provider: 'cloudflare', version: 2 }]); // which has heard of the change
});
