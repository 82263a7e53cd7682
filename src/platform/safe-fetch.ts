import { Resolver } from 'node:dns/promises';
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import type { SafePost, SendFailure, SendOutcome } from '../domain/safe-fetch.ts';
import { isPublicAddress, isWithinNetworks } from '../kernel/networks.ts';

const MAX_BODY_BYTES = 1024;
/** In milliseconds: until the connection stands, and until everything is over. */
const PATIENCE = { connect: 5_000, total: 10_000 };
const DNS = { timeout: 2_000, tries: 2 };

export type SafePostOptions = {
  /** Addresses and ranges that may be reached although they are not public. */
  allowedNetworks: readonly string[];
  patience?: typeof PATIENCE;
  /** All addresses of a host. */
  resolve?: (host: string) => Promise<string[]>;
};

/**
 * Asks the name servers without the thread pool that getaddrinfo blocks, which passwords and files need too. A host of
 * one family has no addresses in the other, and that is no failure.
 */
async function resolveByDns(host: string): Promise<string[]> {
  const resolver = new Resolver(DNS);
  const answers = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
  return answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
}

/** By the codes of Node: those of TLS and certificates, those of its HTTP parser, and all others. */
function failureOf(error: Error): SendFailure {
  const code = 'code' in error ? String(error.code) : '';
  if (code.startsWith('HPE_')) return 'invalid_response';
  return /^(ERR_SSL|ERR_TLS|EPROTO|CERT_|UNABLE_|SELF_SIGNED|DEPTH_ZERO)/.test(code)
    ? 'tls_failed'
    : 'connection_failed';
}

/** What is left of bytes that may be anything: text of one kind, which a database and a terminal can take. */
const readable = (bytes: Buffer): string =>
  bytes
    .subarray(0, MAX_BODY_BYTES)
    .toString('utf8')
    .replace(/[^\P{Cc}\n\t]/gu, '');

/**
 * Resolves the host itself, refuses when any of its addresses is not allowed, and connects to the addresses that were
 * checked: another answer of its name server, a moment later, changes nothing. No proxy, no redirects, no kept
 * connections.
 */
export function createSafePost(options: SafePostOptions): SafePost {
  const { allowedNetworks, patience = PATIENCE, resolve = resolveByDns } = options;
  const isAllowed = (address: string) =>
    isPublicAddress(address) || isWithinNetworks(address, allowedNetworks);

  async function addressesOf(host: string): Promise<string[] | SendFailure> {
    const addresses = isIP(host) === 0 ? await resolve(host).catch(() => []) : [host];
    if (addresses.length === 0) return 'host_not_found';
    return addresses.every(isAllowed) ? addresses : 'address_not_allowed';
  }

  function exchange(
    url: URL,
    host: string,
    addresses: string[],
    { headers, body }: Parameters<SafePost>[1],
    signal: AbortSignal,
  ): Promise<SendOutcome> {
    const checked = addresses.map((address) => ({ address, family: isIP(address) }));
    const lookup: LookupFunction = (_host, { all }, done) =>
      all === true ? done(null, checked) : done(null, checked[0]?.address ?? '', checked[0]?.family);
    return new Promise((settle) => {
      const isHttps = url.protocol === 'https:';
      const outgoing = (isHttps ? requestHttps : requestHttp)({
        method: 'POST',
        host,
        port: url.port === '' ? undefined : url.port,
        path: `${url.pathname}${url.search}`,
        headers: { ...headers, host: url.host, 'content-length': Buffer.byteLength(body) },
        agent: false,
        lookup,
        ...(isHttps && isIP(host) === 0 ? { servername: host } : {}),
      });
      const connecting = setTimeout(() => end({ failure: 'timed_out' }), patience.connect);
      const abort = () => end({ failure: 'timed_out' });

      function end(outcome: SendOutcome): void {
        clearTimeout(connecting);
        signal.removeEventListener('abort', abort);
        outgoing.destroy();
        settle(outcome);
      }
      /** The status says all that matters: what is late or missing of the body changes nothing. */
      function read(response: IncomingMessage): void {
        const chunks: Buffer[] = [];
        let length = 0;
        const finish = () =>
          end({
            status: response.statusCode ?? 0,
            retryAfter: response.headers['retry-after'] ?? null,
            body: readable(Buffer.concat(chunks)),
          });
        signal.removeEventListener('abort', abort);
        signal.addEventListener('abort', finish, { once: true });
        response.on('data', (chunk: Buffer) => {
          chunks.push(chunk);
          length += chunk.length;
          if (length >= MAX_BODY_BYTES) finish();
        });
        response.on('end', finish).on('error', finish);
      }

      signal.addEventListener('abort', abort, { once: true });
      outgoing.on('socket', (socket) =>
        socket.once(isHttps ? 'secureConnect' : 'connect', () => clearTimeout(connecting)),
      );
      outgoing.on('response', read);
      outgoing.on('error', (error) => end({ failure: failureOf(error) }));
      outgoing.end(body);
    });
  }

  return async (target, request) => {
    const url = new URL(target);
    const host = url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
    const signal = AbortSignal.timeout(patience.total);
    const tooLate = new Promise<SendFailure>((done) =>
      signal.addEventListener('abort', () => done('timed_out'), { once: true }),
    );
    const addresses = await Promise.race([addressesOf(host), tooLate]);
    if (typeof addresses === 'string') return { failure: addresses };
    return exchange(url, host, addresses, request, signal);
  };
}
