import type { Rrset, RrsetChange } from '../kernel/dns/rrsets.ts';
import type { DnsProviderName } from '../kernel/vocabulary.ts';

/** What a provider has of a name and type; `refs` are its own ids of the contents, where it has such. */
export type ProviderRrset = Rrset & { refs?: readonly string[] };

export type ProviderZone = {
  /** The provider's own id. */
  id: string;
  /** Without dots at their ends. */
  nameservers: string[];
  signed: boolean;
  /** Without the SOA, the name servers of the zone itself, and types that we do not manage. */
  rrsets: ProviderRrset[];
};

/**
 * `unreachable`: there was no answer that counts. `limited`: come again after `retryAfter` seconds. `refused`: it will
 * not do this.
 */
export type ProviderFailure = 'unreachable' | 'limited' | 'refused';

/** What a provider could not do. The message is meant for the zone's owners: it has no credential and no address. */
export class ProviderError extends Error {
  override name = 'ProviderError';
  readonly kind: ProviderFailure;
  readonly retryAfter: number;
  constructor(kind: ProviderFailure, message: string, retryAfter = 0) {
    super(message);
    this.kind = kind;
    this.retryAfter = retryAfter;
  }
}

/** Serves zones. Names are absolute, without dots at their ends. Everything throws ProviderError and nothing else. */
export type DnsProvider = {
  /**
   * Finds the zone, or makes it, and reads it. A zone that somebody else made is refused, so that nothing of the
   * operator's own is overwritten. `id` is what is known from before, `isVerified` whether the name was proved to be the
   * organization's: one that was not may be refused below a zone of somebody else.
   */
  open(name: string, id: string | null, isVerified: boolean): Promise<ProviderZone>;
  /** The same without making one; undefined when there is none. */
  find(name: string, id: string | null): Promise<ProviderZone | undefined>;
  /** Makes the changes at once, at most `changesAtOnce` of them. */
  apply(id: string, name: string, changes: readonly RrsetChange<ProviderRrset>[]): Promise<void>;
  changesAtOnce: number;
  /** Has the zone signed, or not. */
  setSigned(id: string, name: string, signed: boolean): Promise<void>;
  /** The DS records for the parent zone; empty while there are none. */
  readDs(id: string, name: string): Promise<string[]>;
  /** Takes the zone away, with all it has. That it is gone already is no failure, and foreign ones stay. */
  remove(name: string, id: string | null): Promise<void>;
};

/** Asks the name servers of the internet. A name that does not exist has none of either. Throws when nobody answers. */
export type DnsResolver = {
  nameservers(name: string): Promise<string[]>;
  texts(name: string): Promise<string[]>;
};

export type Dns = {
  /** Those that the settings configure. */
  providers: Partial<Record<DnsProviderName, DnsProvider>>;
  resolver: DnsResolver;
};
