import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/*
 * The parts of Cloudflare's API that serve zones, with a memory: zones, records, batches and DNSSEC, with their checks,
 * codes of errors and limits as https://developers.cloudflare.com/api/ documents them.
 */

type CfRecord = {
  id: string;
  name: string;
  type: string;
  ttl: number;
  content: string;
  priority?: number;
  data?: Record<string, unknown>;
  proxied: boolean;
};
type Zone = { id: string; name: string; records: Map<string, CfRecord>; dnssec: string };

class Refusal extends Error {
  readonly status: number;
  readonly code: number;
  constructor(status: number, code: number, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export const TOKEN = 'a-token-of-cloudflare-for-tests';
export const ACCOUNT_ID = '0123456789abcdef0123456789abcdef';
const NAME_SERVERS = ['ada.ns.cloudflare.test', 'bob.ns.cloudflare.test'];
const OPERATIONS = 200;

const newId = (): string => randomUUID().replaceAll('-', '');

/** How the API gives a record back. */
function shown(record: CfRecord): CfRecord {
  const { data = {} } = record;
  if (record.type === 'SRV') return { ...record, content: `${data.weight} ${data.port} ${data.target}` };
  if (record.type === 'CAA') return { ...record, content: `${data.flags} ${data.tag} "${data.value}"` };
  return record;
}
const identity = (record: CfRecord): string =>
  JSON.stringify([record.name, record.type, record.content, record.priority, record.data]);

// biome-ignore lint/suspicious/noExplicitAny: a body is whatever was sent.
type Body = any;

function add(zone: Zone, records: Map<string, CfRecord>, post: Body): CfRecord {
  const { name, type, ttl, content = '', priority, data, proxied = false } = post;
  if (name !== zone.name && !name.endsWith(`.${zone.name}`))
    throw new Refusal(400, 9005, 'Name is outside the zone.');
  if (ttl !== 1 && (ttl < 60 || ttl > 86_400)) throw new Refusal(400, 9021, 'Invalid TTL.');
  if (type === 'NS' && name === zone.name) throw new Refusal(400, 81_062, 'NS at the root cannot be made.');
  if (type === 'TXT' && !/^"/.test(content)) throw new Refusal(400, 9207, 'TXT content is not quoted.');
  if (/\.$/.test(content) && content !== '.' && type !== 'TXT')
    throw new Refusal(400, 9009, 'Invalid content.');
  if (data === undefined && ['SRV', 'CAA'].includes(type)) throw new Refusal(400, 9101, 'data is required.');
  const record: CfRecord = {
    id: newId(),
    ...{ name, type, ttl, content, proxied },
    ...(priority === undefined ? {} : { priority }),
    ...(data === undefined ? {} : { data }),
  };
  const siblings = [...records.values()].filter((other) => other.name === name);
  if (siblings.some((other) => identity(other) === identity(record))) {
    throw new Refusal(400, 81_058, 'An identical record already exists.');
  }
  if (siblings.some((other) => other.type === 'CNAME') || (type === 'CNAME' && siblings.length > 0)) {
    throw new Refusal(400, 81_053, 'An A, AAAA, or CNAME record with that host already exists.');
  }
  records.set(record.id, record);
  return shown(record);
}

/** Deletions, patches, puts, posts, in this order, all of them or none. */
function batch(zone: Zone, { deletes = [], patches = [], puts = [], posts = [] }: Body) {
  if (deletes.length + patches.length + puts.length + posts.length > OPERATIONS) {
    throw new Refusal(400, 9999, `At most ${OPERATIONS} operations.`);
  }
  const records = new Map(zone.records);
  for (const { id } of deletes) {
    if (!records.delete(id)) throw new Refusal(404, 81_044, 'Record does not exist.');
  }
  const added = posts.map((post: Body) => add(zone, records, post));
  zone.records = records;
  return { deletes, patches, puts, posts: added };
}

export async function createCloudflareServer() {
  const zones = new Map<string, Zone>();
  const requests: { method: string; path: string; body: Body }[] = [];
  const sockets = new Set<Socket>();
  let limited = 0;
  let interrupt: ((request: { method: string; path: string }) => boolean) | undefined;
  let port = 0;
  let server: Server;

  const zoneOf = (id: string): Zone => {
    const zone = zones.get(id);
    if (zone === undefined) throw new Refusal(404, 7003, 'Could not route to this zone.');
    return zone;
  };
  const zoneShown = ({ id, name }: Zone) => ({
    id,
    name,
    status: 'pending',
    type: 'full',
    name_servers: NAME_SERVERS,
    account: { id: ACCOUNT_ID, name: 'Tests' },
  });
  const dnssecShown = ({ name, dnssec }: Zone) => ({
    status: dnssec,
    ds: dnssec === 'disabled' ? null : `${name}. 3600 IN DS 2371 13 2 ${'AB'.repeat(32)}`,
  });

  /** What a page of a list is. */
  function paged(items: unknown[], query: URLSearchParams) {
    const page = Number(query.get('page') ?? 1);
    const perPage = Math.min(Number(query.get('per_page') ?? 100), 5_000);
    const result = items.slice((page - 1) * perPage, page * perPage);
    const info = { page, per_page: perPage, count: result.length, total_count: items.length };
    return { result, result_info: { ...info, total_pages: Math.ceil(items.length / perPage) } };
  }

  function createZone({ name, account, type }: Body) {
    if (account?.id !== ACCOUNT_ID) throw new Refusal(403, 1068, 'No permission for this account.');
    if (type !== 'full') throw new Refusal(400, 1001, 'Invalid type.');
    if ([...zones.values()].some((zone) => zone.name === name)) {
      throw new Refusal(400, 1061, `${name} already exists`);
    }
    const zone: Zone = { id: newId(), name, records: new Map(), dnssec: 'disabled' };
    zones.set(zone.id, zone);
    return { result: zoneShown(zone) };
  }

  function route(method: string, { pathname, searchParams }: URL, body: Body): object {
    const [, , , root, id = '', part, rest] = pathname.split('/');
    if (root !== 'zones') throw new Refusal(404, 7003, 'No route.');
    switch (`${method} ${[id && ':id', part, rest].filter(Boolean).join('/')}`) {
      case 'GET ': {
        const account = searchParams.get('account.id') ?? searchParams.get('account[id]');
        if (account !== ACCOUNT_ID) throw new Refusal(400, 1000, 'account.id is missing.');
        const name = searchParams.get('name');
        const found = [...zones.values()].filter((zone) => name === null || zone.name === name);
        return paged(found.map(zoneShown), searchParams);
      }
      case 'POST ':
        return createZone(body);
      case 'GET :id':
        return { result: zoneShown(zoneOf(id)) };
      case 'DELETE :id':
        zoneOf(id);
        zones.delete(id);
        return { result: { id } };
      case 'GET :id/dns_records':
        return paged([...zoneOf(id).records.values()].map(shown), searchParams);
      case 'POST :id/dns_records/batch':
        return { result: batch(zoneOf(id), body) };
      case 'GET :id/dnssec':
        return { result: dnssecShown(zoneOf(id)) };
      case 'PATCH :id/dnssec':
        zoneOf(id).dnssec = body.status === 'active' ? 'pending' : 'disabled';
        return { result: dnssecShown(zoneOf(id)) };
      default:
        throw new Refusal(405, 10_405, 'Method not allowed.');
    }
  }

  function answer(response: ServerResponse, status: number, body: object, headers = {}): void {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(body));
  }
  const refusal = (code: number, message: string) => ({
    success: false,
    errors: [{ code, message }],
    messages: [],
    result: null,
  });

  function serve(request: IncomingMessage, response: ServerResponse, text: string): void {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const method = request.method ?? '';
    const body = text === '' ? {} : JSON.parse(text);
    requests.push({ method, path: url.pathname, body });
    if (request.headers.authorization !== `Bearer ${TOKEN}`) {
      const given = request.headers.authorization ?? '';
      answer(response, 403, refusal(9109, `Invalid access token ${given}`));
      return;
    }
    if (limited > 0) {
      limited -= 1;
      answer(response, 429, refusal(10_000, 'Rate limited.'), { 'retry-after': '2' });
      return;
    }
    try {
      const result = route(method, url, body);
      // What was done is done, even if nobody hears of it.
      if (interrupt?.({ method, path: url.pathname }) === true) request.socket.destroy();
      else answer(response, 200, { success: true, errors: [], messages: [], ...result });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      answer(
        response,
        error.status,
        refusal(error.code, `${error.message} [${request.headers.authorization}]`),
      );
    }
  }

  async function up(): Promise<void> {
    server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => serve(request, response, Buffer.concat(chunks).toString()));
    });
    server.on('connection', (socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    });
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    ({ port } = server.address() as AddressInfo);
  }
  async function down(): Promise<void> {
    for (const socket of sockets) socket.destroy();
    if (!server.listening) return;
    server.close();
    await once(server, 'close');
  }
  await up();
  const url = `http://127.0.0.1:${port}/client/v4`;
  const recordsOf = (name: string): CfRecord[] =>
    [...zones.values()]
      .filter((zone) => zone.name === name)
      .flatMap((zone) => [...zone.records.values()].map(shown));

  return {
    url,
    requests,
    zones,
    up,
    down,
    settings: { CLOUDFLARE_API_URL: url, CLOUDFLARE_API_TOKEN: TOKEN, CLOUDFLARE_ACCOUNT_ID: ACCOUNT_ID },
    recordsOf,
    /** Answers the next requests with 429. */
    limit(count: number) {
      limited = count;
    },
    /** Breaks the connection after a request of this kind was carried out. */
    breakAfter(kind: typeof interrupt) {
      interrupt = kind;
    },
    /** A zone that the operator made by hand. */
    foreign(name: string, posts: object[]) {
      const zone: Zone = { id: newId(), name, records: new Map(), dnssec: 'disabled' };
      zones.set(zone.id, zone);
      batch(zone, { posts });
    },
    [Symbol.asyncDispose]: down,
  };
}
export type CloudflareServer = Awaited<ReturnType<typeof createCloudflareServer>>;
