import { z } from 'zod';
import { type DnsProvider, ProviderError, type ProviderZone } from '../../domain/dns-provider.ts';
import { mailboxOf } from '../../kernel/dns/names.ts';
import { isManaged, type RrsetChange } from '../../kernel/dns/rrsets.ts';
import { namesAbove } from '../../kernel/handles.ts';
import { scrub } from './scrub.ts';

const TIMEOUT_MS = 15_000;
/** Marks the zones that are ours: the server may have others, which are left alone. */
const ACCOUNT = 'tenantry';
const NS_TTL = 3_600;

/* The parts of https://doc.powerdns.com/authoritative/http-api/ that are used here. */
const Zone = z.object({
  id: z.string(),
  account: z.string().default(''),
  dnssec: z.boolean().default(false),
  rrsets: z
    .array(
      z.object({
        name: z.string(),
        type: z.string(),
        ttl: z.number(),
        records: z.array(z.object({ content: z.string(), disabled: z.boolean().default(false) })),
      }),
    )
    .default([]),
});
type Zone = z.infer<typeof Zone>;
const CryptoKeys = z.array(z.object({ ds: z.array(z.string()).optional() }));
const Refusal = z.object({ error: z.string() });

type PatchedRrset = {
  name: string;
  type: string;
  changetype: 'REPLACE' | 'DELETE';
  ttl?: number;
  records?: { content: string; disabled: false }[];
};

const recordsOf = (contents: readonly string[]) =>
  contents.map((content) => ({ content, disabled: false as const }));
const absolute = (name: string): string => `${name}.`;
const withoutDot = (name: string): string => name.toLowerCase().replace(/\.$/, '');

const patchOf = ({ before, after }: RrsetChange): PatchedRrset =>
  after === null
    ? { name: absolute(before.name), type: before.type, changetype: 'DELETE' }
    : {
        name: absolute(after.name),
        type: after.type,
        changetype: 'REPLACE',
        ttl: after.ttl,
        records: recordsOf(after.contents),
      };

export type PowerDnsOptions = { url: string; apiKey: string; nameservers: readonly string[] };

/** Zones of a PowerDNS server, by its HTTP API. */
export function createPowerDns({ url, apiKey, nameservers }: PowerDnsOptions): DnsProvider {
  const base = `${url.replace(/\/+$/, '').replace(/\/api\/v1$/, '')}/api/v1/servers/localhost`;
  const pathOf = (name: string) => `/zones/${encodeURIComponent(absolute(name))}`;

  async function send(
    method: string,
    path: string,
    body?: object,
  ): Promise<{ status: number; text: string }> {
    try {
      const response = await fetch(`${base}${path}`, {
        method,
        headers: { 'x-api-key': apiKey, 'content-type': 'application/json' },
        body: body === undefined ? null : JSON.stringify(body),
        redirect: 'error',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      return { status: response.status, text: await response.text() };
    } catch {
      throw new ProviderError('unreachable', 'The DNS server does not answer.'); // why names its address
    }
  }

  function parsed<T>(schema: z.ZodType<T>, text: string): T {
    try {
      return schema.parse(JSON.parse(text));
    } catch {
      throw new ProviderError('unreachable', 'The DNS server gave an answer that cannot be read.');
    }
  }

  /** @throws for everything but success, and for what is not there where that is no answer */
  async function ask(method: string, path: string, body?: object): Promise<string> {
    const { status, text } = await send(method, path, body);
    if (status >= 200 && status < 300) return text;
    if (status === 401 || status === 403) {
      throw new ProviderError('unreachable', 'The DNS server does not accept the credential of the service.');
    }
    if (status === 429) throw new ProviderError('limited', 'The DNS server asks for patience.', 5);
    if (status >= 500 && status !== 501)
      throw new ProviderError('unreachable', 'The DNS server has a fault.');
    const said = /^\s*\{/.test(text) ? parsed(Refusal, text).error : `status ${status}`;
    throw new ProviderError('refused', `The DNS server refuses this: ${scrub(said, apiKey)}`);
  }

  /** Whoever made it; undefined when there is none. */
  async function look(name: string, query = ''): Promise<Zone | undefined> {
    const path = `${pathOf(name)}${query}`;
    const { status, text } = await send('GET', path);
    // Servers before 4.5 say 422.
    if (status === 404 || (status === 422 && /could not find domain/i.test(text))) return undefined;
    return parsed(Zone, status === 200 ? text : await ask('GET', path));
  }

  async function read(name: string): Promise<Zone | undefined> {
    const zone = await look(name);
    if (zone === undefined || zone.account === ACCOUNT) return zone;
    throw new ProviderError(
      'refused',
      'The DNS server has a zone of this name that is not from this service.',
    );
  }

  /** A zone below another on one server takes a part of it over, without a delegation. */
  async function requireNotBelowForeign(name: string): Promise<void> {
    for (const above of namesAbove(name)) {
      const zone = await look(above, '?rrsets=false');
      if (zone?.account === ACCOUNT) return;
      if (zone !== undefined) {
        throw new ProviderError(
          'refused',
          `The DNS server has a zone ${above} that is not from this service: it has to be verified first whose ${name} is.`,
        );
      }
    }
  }

  const settings = { kind: 'Native', account: ACCOUNT, soa_edit_api: 'DEFAULT', api_rectify: true };
  const rrset = (name: string, type: 'SOA' | 'NS', contents: string[]) => ({
    name: absolute(name),
    type,
    changetype: 'REPLACE' as const,
    ttl: NS_TTL,
    records: recordsOf(contents),
  });
  const soaOf = (name: string) =>
    rrset(name, 'SOA', [
      `${absolute(nameservers[0] ?? name)} ${absolute(mailboxOf(name))} 0 10800 3600 604800 3600`,
    ]);

  const make = (name: string) =>
    ask('POST', '/zones?rrsets=false', {
      ...settings,
      name: absolute(name),
      nameservers: nameservers.map(absolute),
      rrsets: [soaOf(name)],
    });

  const patch = (name: string, rrsets: PatchedRrset[]) => ask('PATCH', pathOf(name), { rrsets });

  /** A server that was killed while it made a zone has it without its SOA, and would never serve it. */
  async function finishMaking(name: string, zone: Zone): Promise<void> {
    if (zone.rrsets.some(({ type }) => type === 'SOA')) return;
    await ask('PUT', pathOf(name), settings);
    await patch(name, [soaOf(name)]);
  }

  /** The settings may name others than when the zone was made. */
  async function keepNameservers(name: string, zone: Zone): Promise<void> {
    const own = zone.rrsets.find((set) => set.type === 'NS' && withoutDot(set.name) === name);
    const present = own?.records.map(({ content }) => withoutDot(content)).sort() ?? [];
    if (present.join() === [...nameservers].sort().join()) return;
    await patch(name, [rrset(name, 'NS', nameservers.map(absolute))]);
  }

  const toProviderZone = (name: string, zone: Zone): ProviderZone => ({
    id: zone.id,
    nameservers: [...nameservers],
    signed: zone.dnssec,
    rrsets: zone.rrsets.flatMap(({ name: owner, type, ttl, records }) => {
      const absoluteName = withoutDot(owner);
      if (!isManaged(absoluteName, type, name)) return [];
      // What is disabled is not served: as nothing that we wrote it differs, and is replaced.
      const contents = records.map(({ content, disabled }) => (disabled ? `disabled ${content}` : content));
      return [{ name: absoluteName, type, ttl, contents }];
    }),
  });

  return {
    changesAtOnce: 1_000,
    async open(name, _id, isVerified) {
      let zone = await read(name);
      if (zone === undefined) {
        if (!isVerified) await requireNotBelowForeign(name);
        await make(name);
        zone = await read(name);
      }
      if (zone === undefined) throw new ProviderError('unreachable', 'The DNS server lost the zone.');
      await finishMaking(name, zone);
      await keepNameservers(name, zone);
      return toProviderZone(name, zone);
    },
    async find(name) {
      const zone = await read(name);
      return zone && toProviderZone(name, zone);
    },
    async apply(_id, name, changes) {
      await patch(name, changes.map(patchOf));
    },
    async setSigned(_id, name, signed) {
      await ask('PUT', pathOf(name), { dnssec: signed, api_rectify: true });
    },
    async readDs(_id, name) {
      const keys = parsed(CryptoKeys, await ask('GET', `${pathOf(name)}/cryptokeys`));
      return keys.flatMap(({ ds = [] }) => ds);
    },
    async remove(name) {
      const zone = await look(name, '?rrsets=false');
      // Another's zone of this name was never ours to remove.
      if (zone?.account === ACCOUNT) await ask('DELETE', pathOf(name));
    },
  };
}
