import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createHarness, type Harness, type TestUser, times, UNLIMITED } from '../support/harness.ts';
import { createPowerDnsServer, missingForPowerDns, type PowerDnsServer } from '../support/powerdns.ts';

/* What the API says is what a real PowerDNS answers. */

const missing = missingForPowerDns();
if (missing !== undefined) test.skip(`with PowerDNS: ${missing}`, () => {});

const SOON = { timeout: 5_000, interval: 25 };
const LATER = { timeout: 30_000, interval: 100 };

describe.skipIf(missing !== undefined)('PowerDNS', () => {
  let pdns: PowerDnsServer;
  let h: Harness;
  let owner: TestUser;
  beforeAll(async () => {
    pdns = await createPowerDnsServer();
    h = await createHarness(
      { ...pdns.settings, MAX_ORGANIZATIONS_PER_USER: '1000', DNS_BASE_DOMAIN: 'platform.example' },
      { rateLimiter: UNLIMITED },
    );
    owner = await h.user();
  }, 30_000);
  afterAll(async () => {
    await h?.[Symbol.asyncDispose]();
    await pdns?.[Symbol.asyncDispose]();
  });

  type Stage = { organizationId: string; zoneId: string; zone: string };
  let organizations = 0;
  async function organization(): Promise<Stage> {
    const label = `acme${++organizations}`;
    const { body, text, status } = await owner.post('organization.create', { name: 'Acme', handle: label });
    expect(status, text).toBe(200);
    const { body: list } = await owner.get('dnsZone.all', { organizationId: body.id });
    return { organizationId: body.id, zoneId: list.items[0].id, zone: body.handle };
  }
  const create = async ({ organizationId, zoneId }: Stage, record: object) => {
    const { status, text, body } = await owner.post('dnsRecord.create', {
      organizationId,
      zoneId,
      ...record,
    });
    expect(status, text).toBe(200);
    return body;
  };
  /** As `transfer` shows them. */
  const stored = async ({ organizationId, zoneId }: Stage): Promise<string[]> => {
    const lines: string[] = [];
    for (let cursor = ''; ; ) {
      const page = { organizationId, zoneId, limit: 500, ...(cursor === '' ? {} : { cursor }) };
      const { body } = await owner.get('dnsRecord.all', page);
      for (const { name, type, content } of body.items) lines.push(`${name}. ${type} ${content}`);
      if (body.nextCursor === null) return lines.sort();
      cursor = body.nextCursor;
    }
  };
  const agree = async (stage: Stage) => expect(await pdns.transfer(stage.zone)).toEqual(await stored(stage));

  test('a new organization has a zone that is served and active', async () => {
    const { organizationId, zoneId, zone } = await organization();
    await vi.waitFor(async () => {
      const [soa] = await pdns.contents(zone, 'SOA');
      expect(soa).toMatch(new RegExp(`^ns1.platform.test. hostmaster.${zone}. \\d+ 10800 3600 604800 3600$`));
    }, SOON);
    expect(await pdns.contents(zone, 'NS')).toEqual(['ns1.platform.test.', 'ns2.platform.test.']);
    await vi.waitFor(async () => {
      const { body } = await owner.get('dnsZone.one', { organizationId, zoneId });
      expect(body).toMatchObject({
        name: zone,
        provider: 'custom',
        status: 'active',
        inSync: true,
        lastError: null,
        nameservers: ['ns1.platform.test', 'ns2.platform.test'],
      });
    }, SOON);
  });

  /** Name, type, content, and the content that follows. */
  const OF_EACH_TYPE: [string, string, string, string][] = [
    ['www', 'A', '192.0.2.1', '192.0.2.7'],
    ['www', 'AAAA', '2001:db8::1', '2001:db8::ffff:1'],
    ['blog', 'CNAME', 'target.example.net.', 'other.example.net.'],
    ['@', 'TXT', '"v=spf1 -all"', '"a \\"quoted\\" text; \\195\\188" "and more"'],
    ['@', 'MX', '10 mail.example.net.', '20 mail.example.net.'],
    ['_sip._tcp', 'SRV', '10 5 5060 sip.example.net.', '10 5 5061 sip.example.net.'],
    ['child', 'NS', 'ns1.example.net.', 'ns2.example.net.'],
    ['@', 'CAA', '0 issue "ca.example.net"', '128 issuewild "other.example.net"'],
    ['*.wild', 'A', '192.0.2.9', '192.0.2.10'],
  ];

  test('a record of each type is answered as it was created, changed and deleted', async () => {
    const stage = await organization();
    const { organizationId, zoneId, zone } = stage;
    const made: { id: string; type: string; name: string; changed: string }[] = [];
    for (const [name, type, content, changed] of OF_EACH_TYPE) {
      const record = await create(stage, { name, type, content, ttl: 300 });
      expect(record.content).toBe(content);
      made.push({ id: record.id, type, name: record.name, changed });
    }
    const ask = async ({ name, type }: { name: string; type: string }) =>
      type === 'NS' // of a delegation there is no answer, but the referral
        ? (await pdns.transfer(zone)).filter((line) => / NS /.test(line)).map((line) => line.split(' ')[2])
        : pdns.contents(name.replace('*', 'any'), type);
    const answers = async () => Promise.all(made.map(ask));
    const expecting = (contents: string[][]) =>
      vi.waitFor(async () => expect(await answers()).toEqual(contents), SOON);
    await expecting(OF_EACH_TYPE.map(([, , content]) => [content]));
    for (const { id: recordId, changed } of made) {
      const input = { organizationId, zoneId, recordId, content: changed };
      expect((await owner.post('dnsRecord.update', input)).status).toBe(200);
    }
    await expecting(made.map(({ changed }) => [changed]));
    for (const { id: recordId } of made) {
      expect((await owner.post('dnsRecord.delete', { organizationId, zoneId, recordId })).status).toBe(200);
    }
    await expecting(made.map(() => []));
  });

  test('a zone file of 1,000 records is served record for record, and comes out again', async () => {
    const stage = await organization();
    const { organizationId, zoneId, zone } = stage;
    const lines = times(1_000, (n) =>
      n % 4 === 0
        ? `h${n} 300 IN TXT "text ${n}; with \\"marks\\""`
        : n % 4 === 1
          ? `h${n} IN MX ${n} mail${n}`
          : n % 4 === 2
            ? `h${n}\t600\tAAAA\t2001:db8::${n.toString(16)}`
            : `h${n} A 192.0.2.${n % 256}`,
    );
    const zoneFile = `$TTL 1h\n@ SOA ns1 hostmaster (1 2 3\n 4 5)\n${lines.join('\n')}\n`;
    const { status, body, text } = await owner.post('dnsZone.import', { organizationId, zoneId, zoneFile });
    expect(status, text).toBe(200);
    expect(body).toMatchObject({ added: 1_000, skipped: 1 });
    await vi.waitFor(async () => expect(await pdns.transfer(zone)).toHaveLength(1_000), SOON);
    await agree(stage);
    const exported = await owner.get('dnsZone.export', { organizationId, zoneId });
    const again = { organizationId, zoneId, zoneFile: exported.body.zoneFile, mode: 'replace' };
    expect((await owner.post('dnsZone.import', again)).body).toMatchObject({
      added: 0,
      updated: 0,
      removed: 0,
      unchanged: 1_000,
    });
  });

  test.each([
    ['stopped while 100 changes are made', 'SIGTERM' as const],
    ['killed among 100 changes', 'SIGKILL' as const],
  ])(
    'PowerDNS %s has all of them afterwards, and nothing else',
    async (_, signal) => {
      const stage = await organization();
      const { organizationId, zoneId } = stage;
      const old = await Promise.all(
        times(20, (n) => create(stage, { name: `old${n}`, type: 'A', content: '192.0.2.1' })),
      );
      if (signal === 'SIGTERM') await pdns.stop(signal);
      const changes = times(100, (n) => async () => {
        if (n === 50 && signal === 'SIGKILL') await pdns.stop(signal);
        if (n >= 80) {
          const ids = { organizationId, zoneId, recordId: old[n - 80].id };
          return owner.post(n % 2 === 0 ? 'dnsRecord.delete' : 'dnsRecord.update', {
            ...ids,
            content: '192.0.2.2',
          });
        }
        return create(stage, { name: `new${n}`, type: 'TXT', content: `text ${n}` });
      });
      for (const change of changes) await change();
      await vi.waitFor(async () => {
        const { body } = await owner.get('dnsZone.one', { organizationId, zoneId });
        expect(body).toMatchObject({ inSync: false, lastError: 'The DNS server does not answer.' });
      }, SOON);
      await pdns.start();
      await vi.waitFor(() => agree(stage), LATER);
      expect(await stored(stage)).toHaveLength(90);
    },
    60_000,
  );

  test('killed in the middle of a large change set it has all of it afterwards', async () => {
    const stage = await organization();
    const { organizationId, zoneId, zone } = stage;
    await vi.waitFor(async () => expect(await pdns.contents(zone, 'SOA')).toHaveLength(1), SOON);
    const zoneFile = times(3_000, (n) => `h${n} A 192.0.2.${n % 256}`).join('\n');
    expect((await owner.post('dnsZone.import', { organizationId, zoneId, zoneFile })).status).toBe(200);
    // The first of the three parts is there: the next one is under way.
    await vi.waitFor(async () => expect((await pdns.transfer(zone)).length).toBeGreaterThan(0), SOON);
    await pdns.stop('SIGKILL');
    await pdns.start();
    await vi.waitFor(() => agree(stage), LATER);
  }, 60_000);

  test('a zone that was half made when PowerDNS was killed is finished, and its serial counts', async () => {
    const zone = `acme${organizations + 1}.platform.example`;
    pdns.leaveHalfMade(zone);
    const stage = await organization();
    expect(stage.zone).toBe(zone);
    await create(stage, { name: 'www', type: 'A', content: '192.0.2.1' });
    await vi.waitFor(() => agree(stage), SOON);
    const serial = async () => Number((await pdns.contents(zone, 'SOA'))[0]?.split(' ')[2]);
    const before = await serial();
    expect(before).toBeGreaterThan(0);
    expect(await pdns.contents(zone, 'NS')).toHaveLength(2);
    await create(stage, { name: 'web', type: 'A', content: '192.0.2.1' });
    await vi.waitFor(() => agree(stage), SOON);
    expect(await serial()).toBeGreaterThan(before);
  });

  test('what others change behind our back is healed, and foreign types stay', async () => {
    const stage = await organization();
    const { zone } = stage;
    await create(stage, { name: 'www', type: 'A', content: '192.0.2.1' });
    await vi.waitFor(() => agree(stage), SOON);
    const set = (name: string, type: string, content: string) => ({
      name: `${name}.${zone}.`,
      type,
      ttl: 60,
      changetype: 'REPLACE',
      records: [{ content, disabled: false }],
    });
    const rrsets = [
      set('www', 'A', '203.0.113.6'),
      set('evil', 'A', '203.0.113.7'),
      set('host', 'SSHFP', '1 1 450c7d19d5da9a3a5b7c19992d1fbde15d8dad44'),
    ];
    expect((await pdns.api('PATCH', `/zones/${zone}.`, { rrsets })).status).toBe(204);
    expect(await pdns.contents(`www.${zone}`, 'A')).toEqual(['203.0.113.6']);
    const { organizationId, zoneId } = stage;
    const { body: plan } = await owner.get('dnsZone.plan', { organizationId, zoneId });
    expect(plan).toMatchObject({ compared: true, total: 2 });
    expect(
      plan.changes.map(({ action, name }: { action: string; name: string }) => `${action} ${name}`),
    ).toEqual([`delete evil.${zone}`, `update www.${zone}`]);
    h.clock.advance(20 * 60_000);
    await vi.waitFor(
      async () => expect(await pdns.contents(`www.${zone}`, 'A')).toEqual(['192.0.2.1']),
      LATER,
    );
    expect(await pdns.contents(`evil.${zone}`, 'A')).toEqual([]);
    expect(await pdns.contents(`host.${zone}`, 'SSHFP')).toHaveLength(1);
  }, 40_000);

  test('what a process that died was at is taken up by another', async () => {
    const stage = await organization();
    await vi.waitFor(async () => expect(await pdns.contents(stage.zone, 'SOA')).toHaveLength(1), SOON);
    await h.sql`update dns_provider_zones set lease = lease + 1, lease_until = ${h.app.deps.now()}::timestamptz + interval '25 s'
      where name = ${stage.zone}`;
    await create(stage, { name: 'www', type: 'A', content: '192.0.2.1' });
    await vi.waitFor(
      async () => expect(await h.sql`select 1 from jobs where name = 'dns.sync'`).toHaveLength(0),
      SOON,
    );
    expect(await pdns.contents(`www.${stage.zone}`, 'A')).toEqual([]);
    h.clock.advance(25_000);
    await vi.waitFor(() => agree(stage), LATER);
  }, 40_000);

  test('a deleted zone, and one of a deleted organization, are withdrawn', async () => {
    const [kept, other] = [await organization(), await organization()];
    for (const { zone } of [kept, other]) {
      await vi.waitFor(async () => expect(await pdns.contents(zone, 'SOA')).toHaveLength(1), SOON);
    }
    const { organizationId, zoneId } = kept;
    expect((await owner.post('dnsZone.delete', { organizationId, zoneId })).status).toBe(200);
    expect((await owner.post('organization.delete', { organizationId: other.organizationId })).status).toBe(
      200,
    );
    for (const { zone } of [kept, other]) {
      await vi.waitFor(async () => expect((await pdns.api('GET', `/zones/${zone}.`)).status).toBe(404), SOON);
    }
    await vi.waitFor(
      async () =>
        expect(
          await h.sql`select name from dns_provider_zones where name in ${h.sql([kept.zone, other.zone])}`,
        ).toHaveLength(0),
      SOON,
    );
  });

  test('withdrawn while PowerDNS is away, the name goes to the next one without what was there', async () => {
    const old = await organization();
    await create(old, { name: 'secret', type: 'A', content: '192.0.2.1' });
    await vi.waitFor(() => agree(old), SOON);
    await pdns.stop();
    expect((await owner.post('organization.delete', { organizationId: old.organizationId })).status).toBe(
      200,
    );
    const handle = old.zone;
    const { body } = await owner.post('organization.create', { name: 'Next', handle });
    const { body: list } = await owner.get('dnsZone.all', { organizationId: body.id });
    expect(list.items[0].status).toBe('pending');
    const next = { organizationId: body.id, zoneId: list.items[0].id, zone: handle };
    await create(next, { name: 'www', type: 'A', content: '192.0.2.2' });
    await pdns.start();
    await vi.waitFor(() => agree(next), LATER);
  }, 60_000);

  test('a changed handle moves its zone with the records, and those that point into it', async () => {
    const stage = await organization();
    await create(stage, { name: 'www', type: 'CNAME', content: 'web' });
    await create(stage, { name: 'web', type: 'A', content: '192.0.2.1' });
    await vi.waitFor(() => agree(stage), SOON);
    const { organizationId } = stage;
    const renamed = await owner.post('organization.update', {
      organizationId,
      handle: `moved-${stage.zone}`,
    });
    expect(renamed.status, renamed.text).toBe(200);
    const moved = { ...stage, zone: renamed.body.handle };
    await vi.waitFor(() => agree(moved), SOON);
    expect(await pdns.contents(`www.${moved.zone}`, 'CNAME')).toEqual([`web.${moved.zone}.`]);
    await vi.waitFor(
      async () => expect((await pdns.api('GET', `/zones/${stage.zone}.`)).status).toBe(404),
      SOON,
    );
  });

  test('a zone that somebody else made is neither changed nor removed', async () => {
    const zone = 'operator.platform.example';
    await pdns.api('POST', '/zones', {
      name: `${zone}.`,
      kind: 'Native',
      nameservers: ['ns.operator.example.'],
    });
    const { body } = await owner.post('organization.create', { name: 'Acme', handle: zone });
    const { body: list } = await owner.get('dnsZone.all', { organizationId: body.id });
    const ids = { organizationId: body.id, zoneId: list.items[0].id };
    await vi.waitFor(async () => {
      const { body: shown } = await owner.get('dnsZone.one', ids);
      expect(shown.lastError).toMatch(/not from this service/);
    }, SOON);
    await owner.post('organization.delete', { organizationId: body.id });
    await vi.waitFor(
      async () => expect(await h.sql`select 1 from dns_provider_zones where name = ${zone}`).toHaveLength(0),
      SOON,
    );
    expect(await pdns.contents(zone, 'NS')).toEqual(['ns.operator.example.']);
  });

  test('a signed zone shows its DS, and none once it is not signed any more', async () => {
    const { organizationId, zoneId, zone } = await organization();
    const sign = (enabled: boolean) => owner.post('dnsZone.dnssec', { organizationId, zoneId, enabled });
    expect((await sign(true)).status).toBe(200);
    await vi.waitFor(async () => {
      const { body } = await owner.get('dnsZone.one', { organizationId, zoneId });
      expect(body.dnssec.ds[0]).toMatch(/^\d+ 13 \d [0-9a-f]+$/);
    }, SOON);
    expect(await pdns.contents(zone, 'DNSKEY')).toHaveLength(1);
    expect((await sign(false)).status).toBe(200);
    await vi.waitFor(async () => expect(await pdns.contents(zone, 'DNSKEY')).toEqual([]), SOON);
    const { body } = await owner.get('dnsZone.one', { organizationId, zoneId });
    expect(body.dnssec).toEqual({ enabled: false, ds: [] });
  });

  test('the credential is in no answer, row or line of the log', async () => {
    const rows = JSON.stringify(await h.sql`select * from dns_provider_zones, jobs`);
    for (const text of [rows, h.logLines.join()]) expect(text).not.toContain(pdns.settings.POWERDNS_API_KEY);
  });
});
