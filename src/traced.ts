import { VERSION } from './cli/version.ts';
import type { Config } from './config.ts';
import type { Database } from './db/client.ts';
import type { Reader } from './db/replica.ts';
import type { Deps } from './domain/deps.ts';
import type { DnsProvider } from './domain/dns-provider.ts';
import type { Mailer } from './domain/mail.ts';
import type { Tracing } from './domain/tracing.ts';

/** OpenTelemetry is large, so it is loaded only where it is used. */
export async function openTracing(
  { tracing }: Config,
  onFailure: (reason: string) => void,
): Promise<Tracing | undefined> {
  if (tracing === undefined) return undefined;
  const { createTracing } = await import('./platform/tracing.ts');
  return createTracing({ ...tracing, version: VERSION, onFailure });
}

/** What goes out has spans of its own, which name the kind of work and nothing of its contents. */
const databaseSpan = <T>(tracing: Tracing, kind: string, task: () => Promise<T>): Promise<T> =>
  tracing.within('client', `database ${kind}`, { 'db.system.name': 'postgresql' }, task);

export const tracedReader = (reader: Reader, tracing: Tracing): Reader => ({
  query: (fn) => databaseSpan(tracing, 'query', () => reader.query(fn)),
});

export const tracedDatabase = (database: Database, tracing: Tracing): Database => ({
  ...tracedReader(database, tracing),
  transaction: (fn) => databaseSpan(tracing, 'transaction', () => database.transaction(fn)),
});

export const tracedMailer = (mailer: Mailer, tracing: Tracing): Mailer => ({
  send: (mail) => tracing.within('client', 'mail send', {}, () => mailer.send(mail)),
});

function tracedProvider(name: string, provider: DnsProvider, tracing: Tracing): DnsProvider {
  const span = <T>(verb: string, task: () => Promise<T>) =>
    tracing.within('client', `dns ${verb}`, { 'tenantry.dns_provider': name }, task);
  return {
    ...provider,
    open: (zone, id, isVerified) => span('open', () => provider.open(zone, id, isVerified)),
    find: (zone, id) => span('find', () => provider.find(zone, id)),
    apply: (id, zone, changes) => span('apply', () => provider.apply(id, zone, changes)),
    setSigned: (id, zone, signed) => span('setSigned', () => provider.setSigned(id, zone, signed)),
    readDs: (id, zone) => span('readDs', () => provider.readDs(id, zone)),
    remove: (zone, id) => span('remove', () => provider.remove(zone, id)),
  };
}

export function tracedDeps(deps: Deps, tracing: Tracing): Deps {
  const providers = Object.entries(deps.dns.providers).map(([name, provider]) => [
    name,
    tracedProvider(name, provider, tracing),
  ]);
  return {
    ...deps,
    post: (url, request) => tracing.within('client', 'webhook post', {}, () => deps.post(url, request)),
    dns: { ...deps.dns, providers: Object.fromEntries(providers) },
  };
}
