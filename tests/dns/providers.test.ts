import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type DnsProvider, ProviderError } from '../../src/domain/dns-provider.ts';
import { differences } from '../../src/domain/zone-sync/index.ts';
import { canonicalContent, RECORD_TYPES, type RecordType } from '../../src/kernel/dns/content.ts';
import type { Rrset } from '../../src/kernel/dns/rrsets.ts';
import { quote } from '../../src/kernel/dns/text.ts';
import { createCloudflare } from '../../src/platform/dns/cloudflare.ts';
import { createPowerDns } from '../../src/platform/dns/powerdns.ts';
import { type CloudflareServer, createCloudflareServer } from '../support/cloudflare.ts';
import { times } from '../support/harness.ts';
import {
  API_KEY,
  createPowerDnsServer,
  missingForPowerDns,
  type PowerDnsServer,
} from '../support/powerdns.ts';

/* What the reconciler relies on, of every provider. */

type Stand = {
  provider: DnsProvider;
  /** The same with a credential that is not accepted. */
  stranger: DnsProvider;
  secret: string;
  down(): Promise<void>;
  up(): Promise<void>;
  /** Makes a zone with a record, as the operator would. */
  foreign(name: string): Promise<void>;
  end(): Promise<void>;
};

const PROVIDERS: [string, string | undefined, () => Promise<Stand>][] = [
  [
    'PowerDNS',
    missingForPowerDns(),
    async () => {
      const server: PowerDnsServer = await createPowerDnsServer();
      const options = { url: server.url, nameservers: ['ns1.platform.test'] };
      return {
        provider: createPowerDns({ ...options, apiKey: API_KEY }),
        stranger: createPowerDns({ ...options, apiKey: 'a-wrong-credential' }),
        secret: API_KEY,
        down: () => server.stop(),
        up: server.start,
        async foreign(name) {
          await server.api('POST', '/zones', {
            name: `${name}.`,
            kind: 'Native',
            nameservers: ['ns.example.'],
          });
        },
        end: () => server[Symbol.asyncDispose](),
      };
    },
  ],
  [
    'Cloudflare',
    undefined,
    async () => {
      const server: CloudflareServer = await createCloudflareServer();
      const { CLOUDFLARE_API_TOKEN: token, CLOUDFLARE_ACCOUNT_ID: accountId } = server.settings;
      return {
        provider: createCloudflare({ token, accountId, url: server.url }),
        stranger: createCloudflare({ token: 'a-wrong-credential', accountId, url: server.url }),
        secret: token,
        down: server.down,
        up: server.up,
        async foreign(name) {
          server.foreign(name, [{ name, type: 'A', ttl: 60, content: '192.0.2.1' }]);
        },
        end: server.down,
      };
    },
  ],
];

const CONTENTS: Record<RecordType, string[]> = {
  A: ['192.0.2.1', '192.0.2.2'],
  AAAA: ['2001:db8::1', '::ffff:c000:201'],
  CNAME: ['target.example.net.'],
  TXT: ['"v=spf1 -all"', `"a \\"mark\\", a \\\\ and \\195\\188" "${'x'.repeat(255)}"`],
  MX: ['10 mail.example.net.', '20 mail2.example.net.'],
  SRV: ['10 5 5060 sip.example.net.', '0 0 443 .'],
  NS: ['ns1.example.net.', 'ns2.example.net.'],
  CAA: ['0 issue "ca.example.net; account=\\"1\\""', '128 iodef "mailto:a@example.net"'],
};

for (const [name, missing, createStand] of PROVIDERS) {
  if (missing !== undefined) test.skip(`${name}: ${missing}`, () => {});
  describe.skipIf(missing !== undefined)(name, () => {
    let stand: Stand;
    let zone: string;
    let zones = 0;
    beforeAll(async () => {
      stand = await createStand();
    }, 30_000);
    afterAll(() => stand?.end());
    beforeEach(() => {
      zone = `zone${++zones}.example`;
    });

    const everything = (): Rrset[] =>
      RECORD_TYPES.map((type) => ({
        name: `${type.toLowerCase()}.${zone}`,
        type,
        ttl: 300,
        contents: CONTENTS[type] ?? [],
      }));
    /** Brings the zone to these rrsets. @returns how many changes that took */
    async function bring(
      rrsets: Rrset[],
      id: string | null = null,
    ): Promise<{ id: string; changes: number }> {
      const opened = await stand.provider.open(zone, id, true);
      const changes = differences(rrsets, opened.rrsets);
      await stand.provider.apply(opened.id, zone, changes);
      return { id: opened.id, changes: changes.length };
    }
    const failure = async (task: Promise<unknown>): Promise<ProviderError> => {
      const error = await task.then(
        () => undefined,
        (reason: unknown) => reason,
      );
      if (!(error instanceof ProviderError)) throw new Error(`No ProviderError: ${error}`);
      expect(error.message).not.toContain(stand.secret);
      return error;
    };

    test('makes a zone once, and finds it by its id and by its name', async () => {
      expect(await stand.provider.find(zone, null)).toBeUndefined();
      const made = await stand.provider.open(zone, null, true);
      expect(made).toMatchObject({ rrsets: [], signed: false });
      expect(made.nameservers.length).toBeGreaterThan(0);
      expect((await stand.provider.open(zone, made.id, true)).id).toBe(made.id);
      expect((await stand.provider.find(zone, null))?.id).toBe(made.id);
    });

    test('has every type as it was written, so that there is nothing to do afterwards', async () => {
      const { id, changes } = await bring(everything());
      expect(changes).toBe(RECORD_TYPES.length);
      expect(differences(everything(), (await stand.provider.open(zone, id, true)).rrsets)).toEqual([]);
    });

    test('takes whatever the rules of contents let through', async () => {
      const target = fc.stringMatching(
        /^[A-Za-z0-9_]([A-Za-z0-9_-]{0,20}[A-Za-z0-9])?(\.[a-z0-9]{1,9}){0,2}\.[a-z][a-z0-9]{0,8}$/,
      );
      const host = target.filter((name) => !name.includes('_'));
      const number = fc.integer({ min: 0, max: 65_535 });
      const text = fc
        .string({ unit: 'binary', minLength: 1, maxLength: 400 })
        .filter((t) => !/[\0\ud800-\udfff]/.test(t));
      const printable = fc.stringMatching(/^[ -~]{0,60}$/);
      const wild: Record<RecordType, fc.Arbitrary<string>> = {
        A: fc.ipV4(),
        AAAA: fc.ipV6(),
        CNAME: target,
        NS: host,
        TXT: fc.oneof(
          text,
          printable.filter((t) => t.length > 0),
        ),
        MX: fc.tuple(number, host).map((parts) => parts.join(' ')),
        SRV: fc.tuple(number, number, number, host).map((parts) => parts.join(' ')),
        CAA: fc
          .tuple(fc.integer({ min: 0, max: 255 }), fc.stringMatching(/^[a-zA-Z0-9]{1,15}$/), printable)
          .map(([flags, tag, value]) => `${flags} ${tag} ${quote(value)}`),
      };
      const rrsets = RECORD_TYPES.flatMap((type) =>
        fc.sample(wild[type], 40).flatMap((content, n): Rrset[] => {
          if (type === 'TXT' && content.startsWith('"')) return [];
          const contents = [canonicalContent(type, content, (name) => name)];
          const name = `${n % 2 === 0 ? '_' : '*.x'}${type.toLowerCase()}${n}.${zone}`;
          return [{ name, type, ttl: 300, contents }];
        }),
      );
      const { id } = await bring(rrsets);
      expect(differences(rrsets, (await stand.provider.open(zone, id, true)).rrsets)).toEqual([]);
    });

    test('changes, adds and takes away, and only that', async () => {
      const { id } = await bring(everything());
      const changed = everything().flatMap((set) => {
        if (set.type === 'A') return [{ ...set, contents: ['192.0.2.2', '192.0.2.3'] }];
        if (set.type === 'AAAA') return [{ ...set, ttl: 600 }];
        return set.type === 'CNAME' ? [{ ...set, type: 'TXT' as const, contents: ['"instead"'] }] : [set];
      });
      expect((await bring(changed, id)).changes).toBe(4);
      expect(differences(changed, (await stand.provider.open(zone, id, true)).rrsets)).toEqual([]);
      expect((await bring([], id)).changes).toBe(RECORD_TYPES.length);
      expect((await stand.provider.open(zone, id, true)).rrsets).toEqual([]);
    });

    test('has thousands of records, and of one that changes it is told that one', async () => {
      const many = times(1_200, (n) => ({
        name: `h${n}.${zone}`,
        type: 'A' as const,
        ttl: 300,
        contents: ['192.0.2.1'],
      }));
      const opened = await stand.provider.open(zone, null, true);
      const { changesAtOnce } = stand.provider;
      for (let at = 0; at < many.length; at += changesAtOnce) {
        const changes = differences(many.slice(at, at + changesAtOnce), []);
        await stand.provider.apply(opened.id, zone, changes);
      }
      const [first, ...others] = many;
      if (first === undefined) throw new Error('none');
      expect((await bring([{ ...first, contents: ['192.0.2.2'] }, ...others], opened.id)).changes).toBe(1);
    });

    test('signs a zone and stops', async () => {
      const { id } = await stand.provider.open(zone, null, true);
      await stand.provider.setSigned(id, zone, true);
      expect((await stand.provider.open(zone, id, true)).signed).toBe(true);
      expect((await stand.provider.readDs(id, zone))[0]).toMatch(/^\d+ 13 \d [0-9a-f]+$/i);
      await stand.provider.setSigned(id, zone, false);
      expect((await stand.provider.open(zone, id, true)).signed).toBe(false);
    });

    test('removes a zone, and one that is gone, and then makes it anew', async () => {
      const { id } = await bring(everything());
      await stand.provider.remove(zone, id);
      await stand.provider.remove(zone, id);
      await stand.provider.remove(zone, null);
      expect(await stand.provider.find(zone, id)).toBeUndefined();
      expect((await stand.provider.open(zone, id, true)).rrsets).toEqual([]);
    });

    test('leaves a zone that somebody else made alone', async () => {
      await stand.foreign(zone);
      expect((await failure(stand.provider.open(zone, null, true))).kind).toBe('refused');
      await stand.provider.remove(zone, null);
      expect((await failure(stand.provider.open(zone, null, true))).kind).toBe('refused');
    });

    test('says what it refuses, and that nobody answers, without its credential', async () => {
      const { id } = await stand.provider.open(zone, null, true);
      const outside = { name: 'elsewhere.example', type: 'A' as const, ttl: 300, contents: ['192.0.2.1'] };
      const refused = await failure(stand.provider.apply(id, zone, [{ before: null, after: outside }]));
      expect(refused.kind).toBe('refused');
      expect((await failure(stand.stranger.open(zone, id, true))).message).toMatch(
        /does not accept the credential/,
      );
      await stand.down();
      expect((await failure(stand.provider.open(zone, id, true))).kind).toBe('unreachable');
      await stand.up();
      expect((await stand.provider.open(zone, id, true)).id).toBe(id);
    });
  });
}
