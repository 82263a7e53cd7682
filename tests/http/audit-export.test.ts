import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { invite } from '../api/stage.ts';
import { type Body, createHarness, type Harness, type TestUser, times } from '../support/harness.ts';

/* A trail of any length leaves in lines, as fast as they are taken and no faster. */

const ROWS = 100_000;

let h: Harness;
let owner: TestUser;
let organizationId: string;
/** With 100,000 rows of about a kilobyte. */
let long: { id: string; owner: TestUser };

/** Rows as an importer would write them: without seals, which take their time. */
async function fill(id: string, rows: number): Promise<void> {
  await h.sql`
    insert into audit_log (id, organization_id, user_id, user_email, action, resource_type, resource_id, after,
      created_at, seq, seal)
    select gen_random_uuid(), ${id}, gen_random_uuid(), 'a@example.org',
      case when n % 1000 = 0 then 'delete' else 'update' end, 'thing', n::text,
      jsonb_build_object('text', repeat('x', 600)), now(), n + 1, '' from generate_series(1, ${rows}) n`;
  await h.sql`analyze audit_log`;
}

beforeAll(async () => {
  h = await createHarness();
  owner = await h.user();
  organizationId = (await h.organization(owner)).id;
  for (const _ of times(3, String)) await invite(owner, organizationId);
  long = await h.organization();
  await fill(long.id, ROWS);
});
afterAll(() => h[Symbol.asyncDispose]());
afterEach(() => vi.restoreAllMocks());

const linesIn = (text: string): Body[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
const ended = (rows: number) => ({ end: true, rows });

/** Counts the pages that are read, and does something before each. */
function onPage(act: (page: number) => Promise<void> | void = () => {}) {
  const seen = { pages: 0 };
  const { query } = h.app.deps.reader;
  vi.spyOn(h.app.deps.reader, 'query').mockImplementation(async (fn) => {
    if (new Error().stack?.includes('pagesOf') === true) {
      seen.pages += 1;
      await act(seen.pages);
    }
    return query(fn);
  });
  return seen;
}

/** An answer that nobody has begun to read. */
async function begin(caller: TestUser, id: string): Promise<IncomingMessage> {
  const request = get(`${h.baseUrl}/api/auditLog.export?organizationId=${id}`, { headers: caller.headers });
  request.on('error', () => {}); // of the connection that a test breaks
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return response;
}

describe('the lines', () => {
  test('are the rows of auditLog.all, oldest first, and an end', async () => {
    const { body: rows } = await owner.get('auditLog.all', { organizationId });
    const { status, headers, text } = await owner.get('auditLog.export', { organizationId });
    expect(status, text).toBe(200);
    expect(headers.get('content-type')).toBe('application/x-ndjson; charset=utf-8');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    expect(text.endsWith('\n')).toBe(true);
    expect(linesIn(text)).toEqual([...rows.reverse(), ended(4)]);
  });

  test('are filtered as those are, over any number of pages', async () => {
    const { text } = await long.owner.get('auditLog.export', { organizationId: long.id, action: 'delete' });
    const lines = linesIn(text);
    expect(lines.at(-1)).toEqual(ended(100));
    expect(lines.slice(0, -1).map(({ resourceId }) => resourceId)).toEqual(
      times(100, (index) => String((index + 1) * 1000)),
    );
    const none = await owner.get('auditLog.export', { organizationId, to: '2020-01-01' });
    expect(linesIn(none.text)).toEqual([ended(0)]);
    const bad = await owner.get('auditLog.export', { organizationId, from: 'yesterday' });
    expect([bad.status, bad.body.issues[0].path]).toEqual([400, ['from']]);
  });

  test('come whole: 100,000 rows', async () => {
    const { text } = await long.owner.get('auditLog.export', { organizationId: long.id });
    const lines = linesIn(text);
    expect(lines.at(-1)).toEqual(ended(ROWS + 1));
    expect(lines.slice(0, -1).map(({ seq }) => seq)).toEqual(times(ROWS + 1, (index) => index + 1));
  });

  test('do not hold what is written meanwhile', async () => {
    onPage((page) => (page === 1 ? invite(owner, organizationId).then(() => {}) : undefined));
    const { text } = await owner.get('auditLog.export', { organizationId });
    expect(linesIn(text).at(-1)).toEqual(ended(4));
  });

  test('are for GET, and HEAD says what would come', async () => {
    const { status, headers, text } = await owner.send(
      `/api/auditLog.export?organizationId=${organizationId}`,
      {
        method: 'HEAD',
      },
    );
    expect([status, text]).toEqual([200, '']);
    expect(headers.get('content-type')).toBe('application/x-ndjson; charset=utf-8');
    expect(headers.get('content-length')).toBeNull();
    const post = await owner.post('auditLog.export', { organizationId });
    expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  test('are refused over tRPC, also streamed', async () => {
    const reply = await owner.send('/api/trpc/auditLog.export', {});
    expect(reply.status).toBe(400);
    expect(reply.body.error.json.message).toBe(
      'This answers in lines of JSON, over plain HTTP only: GET /api/auditLog.export.',
    );
    const other = await h.user();
    const streamed = await other.send('/api/trpc/auditLog.export?batch=1&input={}', {
      headers: { 'trpc-accept': 'application/jsonl' },
    });
    expect(streamed.text).toContain('over plain HTTP only');
    expect(streamed.text).not.toContain('userEmail');
  });
});

describe('the stream', () => {
  test('begins before the later pages are read', async () => {
    const reader = await h.user();
    const { id } = await h.organization(reader);
    await fill(id, 2000);
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const seen = onPage((page) => (page > 1 ? held : undefined));
    const response = await begin(reader, id);
    const [chunk] = (await once(response, 'data')) as [Buffer];
    expect(JSON.parse(chunk.toString().split('\n')[0] ?? '')).toMatchObject({ action: 'create', seq: 1 });
    expect(seen.pages).toBeLessThan(3);
    release();
    let last = '';
    for await (const more of response) last = more.toString();
    expect(last.endsWith('{"end":true,"rows":2001}\n')).toBe(true);
  });

  test('waits for a reader who does not read, without a connection of the database, and ends with him', async () => {
    const seen = onPage();
    const response = await begin(long.owner, long.id);
    let before = -1;
    await vi.waitFor(
      () => {
        const grown = seen.pages !== before;
        before = seen.pages;
        expect(grown || seen.pages === 0).toBe(false);
      },
      { timeout: 10_000, interval: 300 },
    );
    expect(seen.pages).toBeLessThan(ROWS / 500 / 2); // what the sockets' buffers take
    const busy = await h.sql`select 1 from pg_stat_activity where application_name = 'tenantry'
      and datname = current_database() and state <> 'idle'`;
    expect(busy).toHaveLength(0);
    const lines = h.logLines.length;
    response.destroy();
    await vi.waitFor(() => expect(h.logLines.slice(lines).join()).toContain('answered in part'));
    const stopped = seen.pages;
    expect((await owner.get('organization.active')).status).toBe(200);
    expect(seen.pages).toBe(stopped);
  });

  test('breaks off when a page cannot be read, and says so in the log', async () => {
    onPage((page) => {
      if (page === 3) throw new Error('the disk is gone');
    });
    const reader = await h.user();
    const { id } = await h.organization(reader);
    await fill(id, 2000);
    const response = await begin(reader, id);
    expect(response.statusCode).toBe(200);
    let text = '';
    await expect(
      (async () => {
        for await (const chunk of response) text += chunk.toString();
      })(),
    ).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(text).toContain('"seq":1000,');
    expect(text).not.toContain('"end"');
    const logged = h.logLines.find((line) => line.includes('the disk is gone')) ?? '{}';
    expect(JSON.parse(logged)).toMatchObject({ msg: 'request failed', path: 'auditLog.export' });
    expect((await reader.get('organization.active')).status).toBe(200);
  });

  test('that cannot begin is an answer like any other', async () => {
    onPage(() => {
      throw new Error('the disk is gone');
    });
    const lines = h.logLines.length;
    const { status, headers, body } = await (await h.user()).get('auditLog.export');
    expect([status, body.message]).toEqual([500, 'Internal server error']);
    expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(h.logLines.slice(lines).filter((line) => line.includes('the disk is gone'))).toHaveLength(1);
  });
});

test('of 100,000 rows the newest page takes the database less than 10 ms', async () => {
  const plan = () => h.sql<{ 'QUERY PLAN': { 'Execution Time': number }[] }[]>`
    explain (analyze, format json)
    select * from audit_log where organization_id = ${long.id} order by id desc limit 51 offset 0`;
  const times = [];
  for (const _ of [1, 2, 3])
    times.push((await plan())[0]?.['QUERY PLAN'][0]?.['Execution Time'] ?? Number.NaN);
  expect(Math.min(...times)).toBeLessThan(10); // the machine may be busy with something else
});

test('a reader who does not read keeps the service from stopping for some seconds only', async () => {
  const reader = await h.user();
  await h.sql`insert into memberships (id, organization_id, user_id, role)
    values (gen_random_uuid(), ${long.id}, ${reader.id}, 'admin')`;
  const response = await begin(reader, long.id);
  const broken = once(response, 'error');
  await h.app.close();
  response.resume();
  expect((await broken)[0]).toMatchObject({ code: 'ECONNRESET' });
  expect(h.logLines.join()).toContain('The service stops.');
});
