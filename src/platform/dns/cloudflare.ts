import { APIError } from 'cloudflare/core/error';
import { BaseDNSSECResource } from 'cloudflare/resources/dns/dnssec/dnssec';
import { BaseRecords, type RecordResponse } from 'cloudflare/resources/dns/records';
import { BaseZones, type Zone } from 'cloudflare/resources/zones/zones';
import { createClient } from 'cloudflare/tree-shakable';
import { type DnsProvider, ProviderError, type ProviderZone } from '../../domain/dns-provider.ts';
import { batchesOf, rrsetsOfRecords } from './cloudflare-records.ts';
import { scrub } from './scrub.ts';

const TIMEOUT_MS = 15_000;
const RECORDS_A_PAGE = 5_000;
const RETRY_AFTER_S = 60;

export type CloudflareOptions = { token: string; accountId: string; url: string | undefined };

/** Zones of an account of Cloudflare, by its official SDK. */
export function createCloudflare({ token, accountId, url }: CloudflareOptions): DnsProvider {
  const client = createClient({
    resources: [BaseZones, BaseRecords, BaseDNSSECResource],
    apiToken: token,
    // What the environment says besides is not ours to use.
    apiKey: null,
    apiEmail: null,
    userServiceKey: null,
    ...(url === undefined ? {} : { baseURL: url }),
    timeout: TIMEOUT_MS,
    maxRetries: 0, // the reconciler tries again, and knows when
    logLevel: 'off',
  });

  function failureOf(error: unknown): ProviderError {
    if (!(error instanceof APIError) || error.status === undefined) {
      return new ProviderError('unreachable', 'Cloudflare does not answer.');
    }
    const { status, headers } = error as APIError<number, Headers>;
    if (status === 429) {
      const asked = Number(headers?.get('retry-after') ?? RETRY_AFTER_S);
      return new ProviderError('limited', 'Cloudflare asks for patience.', asked > 0 ? asked : RETRY_AFTER_S);
    }
    if (status >= 500) return new ProviderError('unreachable', 'Cloudflare has a fault.');
    if (status === 401 || status === 403) {
      return new ProviderError('unreachable', 'Cloudflare does not accept the credential of the service.');
    }
    const said = error.errors.map(({ code, message }) => `${message} (${code})`).join('; ');
    return new ProviderError('refused', `Cloudflare refuses this: ${scrub(said, token)}`);
  }

  async function ask<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      throw failureOf(error);
    }
  }

  /** Undefined for what is not there. */
  async function askFor<T>(call: () => Promise<T>): Promise<T | undefined> {
    try {
      return await call();
    } catch (error) {
      if (error instanceof APIError && error.status === 404) return undefined;
      throw failureOf(error);
    }
  }

  async function named(name: string): Promise<Zone | undefined> {
    const page = await ask(() => client.zones.list({ name, account: { id: accountId } }));
    return page.result.find((zone) => zone.name === name);
  }

  function recordsOf(zoneId: string): Promise<RecordResponse[]> {
    return ask(async () => {
      const records: RecordResponse[] = [];
      const listed = client.dns.records.list({ zone_id: zoneId, per_page: RECORDS_A_PAGE });
      for await (const record of listed) records.push(record);
      return records;
    });
  }

  /**
   * The zone that we know by its id, or one of this name without records: such a one may be ours, made just before a
   * crash, and nothing in it is lost. Any other is the operator's own.
   */
  async function look(
    name: string,
    id: string | null,
  ): Promise<{ zone: Zone; records: RecordResponse[] } | undefined> {
    const known = id === null ? undefined : await askFor(() => client.zones.get({ zone_id: id }));
    const zone = known?.name === name ? known : await named(name);
    if (zone === undefined) return undefined;
    const records = await recordsOf(zone.id);
    if (zone.id !== id && records.length > 0) {
      throw new ProviderError('refused', 'Cloudflare has a zone of this name that is not from this service.');
    }
    return { zone, records };
  }

  async function read(
    name: string,
    { zone, records }: { zone: Zone; records: RecordResponse[] },
  ): Promise<ProviderZone> {
    const dnssec = await ask(() => client.dns.dnssec.get({ zone_id: zone.id }));
    return {
      id: zone.id,
      nameservers: (zone.name_servers ?? []).map((host) => host.toLowerCase()),
      signed: dnssec.status === 'active' || dnssec.status === 'pending',
      rrsets: rrsetsOfRecords(records, name),
    };
  }

  return {
    changesAtOnce: 100,
    async open(name, id) {
      const found = await look(name, id);
      if (found !== undefined) return read(name, found);
      const zone = await ask(() => client.zones.create({ name, account: { id: accountId }, type: 'full' }));
      return read(name, { zone, records: await recordsOf(zone.id) });
    },
    async find(name, id) {
      const found = await look(name, id);
      return found && read(name, found);
    },
    async apply(id, _name, changes) {
      for (const batch of batchesOf(changes)) {
        await ask(() => client.dns.records.batch({ zone_id: id, ...batch }));
      }
    },
    async setSigned(id, _name, signed) {
      await ask(() => client.dns.dnssec.edit({ zone_id: id, status: signed ? 'active' : 'disabled' }));
    },
    async readDs(id) {
      const { ds } = await ask(() => client.dns.dnssec.get({ zone_id: id }));
      // The whole record, of which the data are asked for.
      return ds == null || ds === '' ? [] : [ds.replace(/^.*\sDS\s+/, '')];
    },
    async remove(name, id) {
      const zone = id === null ? await named(name) : { id };
      if (zone === undefined) return;
      if (id === null && (await recordsOf(zone.id)).length > 0) return; // not ours
      await askFor(() => client.zones.delete({ zone_id: zone.id }));
    },
  };
}
