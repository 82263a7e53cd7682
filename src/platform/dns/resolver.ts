import { Resolver } from 'node:dns/promises';
import type { DnsResolver } from '../../domain/dns-provider.ts';
import { unavailable } from '../../kernel/errors.ts';

const PATIENCE = { timeout: 2_000, tries: 2 };
/** Codes of c-ares for an answer that says that there is nothing, and for a name that is too long for there to be one. */
const NOTHING = new Set(['ENOTFOUND', 'ENODATA', 'EBADNAME']);

/** `servers` are those of the system when there are none. */
export function createResolver(servers: readonly string[]): DnsResolver {
  async function ask<T>(question: (resolver: Resolver) => Promise<T[]>): Promise<T[]> {
    const resolver = new Resolver(PATIENCE);
    if (servers.length > 0) resolver.setServers(servers);
    try {
      return await question(resolver);
    } catch (error) {
      if (error instanceof Error && 'code' in error && NOTHING.has(String(error.code))) return [];
      throw unavailable(
        'dns_lookup_failed',
        'The name servers of this domain do not answer. Try again.',
        error,
      );
    }
  }
  return {
    nameservers: async (name) =>
      (await ask((resolver) => resolver.resolveNs(name))).map((host) =>
        host.toLowerCase().replace(/\.$/, ''),
      ),
    texts: async (name) =>
      (await ask((resolver) => resolver.resolveTxt(name))).map((parts) => parts.join('')),
  };
}
