import { readdir, rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import { expect, onTestFinished, test, vi } from 'vitest';
import { findRunning } from '../../src/db/embedded/index.ts';
import { newAddress } from '../api/stage.ts';
import { type Caller, httpCaller, PASSWORD, type Reply, times } from '../support/harness.ts';
import {
  ROOT,
  type Service,
  signIn,
  signInRoot,
  startService,
  temporaryDirectory,
} from '../support/service.ts';

/*
 * Many hours in little: tenants who read and change at half of what the service can do, for as long as SOAK_MINUTES says.
 * What it holds afterwards, in memory, files and connections, is what it held when it had warmed up.
 */

const { SOAK_MINUTES = '30' } = process.env;
const MINUTES = Number(SOAK_MINUTES);
const TENANTS = 16;
const FULL_SPEED_MS = 20_000;
const SAMPLE_MS = 15_000;
/** Code is compiled and pools are filled for so long. */
const WARM_UP = 0.3;
/** In bytes an hour. */
const MAX_GROWTH = 1_000_000;
/** A shorter run cannot tell growth from what is still being compiled. */
const TELLING_MINUTES = 20;

/** Runs in the service: on SIGUSR2 it clears its heap up and says what is left. */
const PROBE = `
  const { setFlagsFromString } = await import('node:v8');
  const { runInNewContext } = await import('node:vm');
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc');
  process.on('SIGUSR2', () => {
    gc(); gc();
    process.stderr.write('memory ' + JSON.stringify(process.memoryUsage()) + '\\n');
  });`;

type Sample = { minutes: number; live: number; rss: number; descriptors: number; connections: number };

/** What one tenant does again and again, with the status that each step is to have. */
type Step = { run: () => Promise<Reply>; status: number };
/** Changes that have limits of their own come no more often than that. */
type Change = { everyMs: number; run: () => Promise<Step[]>; due: number };

async function createTenant(root: Caller, baseUrl: string) {
  const { body: organization } = await root.post('organization.create', { name: 'Soak' });
  const organizationId: string = organization.id;
  const email = newAddress();
  const account = { organizationId, email, password: PASSWORD, role: 'admin' };
  expect((await root.post('user.createUserWithCredentials', account)).status).toBe(200);
  const person = httpCaller(baseUrl, await signIn(baseUrl, email, PASSWORD));
  const { body: made } = await person.post('apiKey.create', { name: 'soak', organizationId });
  const script = httpCaller(baseUrl, { 'x-api-key': made.key });
  const { body: zones } = await person.get('dnsZone.all', { organizationId });
  const zoneId: string = (zones.items ?? zones)[0].id;
  const foreign = '019ac7a0-0000-7000-8000-000000000000';

  const reads: Step[] = [
    { run: () => person.get('organization.all'), status: 200 },
    { run: () => script.get('organization.one', { organizationId }), status: 200 },
    { run: () => person.get('organization.members', { organizationId }), status: 200 },
    { run: () => script.get('organization.allInvitations', { organizationId }), status: 200 },
    { run: () => person.get('auditLog.all', { organizationId, limit: 20 }), status: 200 },
    { run: () => script.get('dnsRecord.all', { organizationId, zoneId }), status: 200 },
    { run: () => person.get('organization.one', { organizationId: foreign }), status: 404 },
    { run: () => httpCaller(baseUrl, { 'x-api-key': 'tnt_unknown' }).get('organization.all'), status: 401 },
    { run: () => person.get('organization.one', { organizationId: 'no id' }), status: 400 },
    { run: () => person.get('session.all'), status: 200 },
  ];
  const ok = (run: () => Promise<Reply>): Step => ({ run, status: 200 });
  let n = 0;
  const changes: Change[] = [
    {
      everyMs: 2_000,
      due: 0,
      async run() {
        const { body: key } = await person.post('apiKey.create', { name: 'short', organizationId });
        const short = httpCaller(baseUrl, { 'x-api-key': key.key });
        return [
          ok(() => short.get('organization.one', { organizationId })),
          ok(() => person.post('apiKey.delete', { apiKeyId: key.id })),
          { run: () => short.get('organization.one', { organizationId }), status: 401 },
        ];
      },
    },
    {
      everyMs: 6_000,
      due: 0,
      async run() {
        const invited = { organizationId, email: newAddress(), role: 'member' };
        const { body } = await person.post('organization.inviteMember', invited);
        return [ok(() => person.post('organization.removeInvitation', { invitationId: body.id }))];
      },
    },
    {
      everyMs: 10_000,
      due: 0,
      async run() {
        n += 1;
        const record = { organizationId, zoneId, name: `h${n}`, type: 'A', content: '192.0.2.1' };
        const { body } = await person.post('dnsRecord.create', record);
        const recordId: string = body.id;
        return [ok(() => person.post('dnsRecord.delete', { organizationId, zoneId, recordId }))];
      },
    },
    {
      everyMs: 15_000,
      due: 0,
      async run() {
        n += 1;
        return [ok(() => person.post('organization.update', { organizationId, name: `Soak ${n}` }))];
      },
    },
    {
      everyMs: 60_000,
      due: 0,
      async run() {
        const again = httpCaller(baseUrl, await signIn(baseUrl, email, PASSWORD));
        return [ok(() => again.post('auth/sign-out'))];
      },
    },
  ];
  return { reads, changes };
}
type Tenant = Awaited<ReturnType<typeof createTenant>>;

/** Sends for all tenants at once; `perSecond` bounds the rate of all together. */
function createLoad(tenants: Tenant[]) {
  const figures = { requests: 0, wrong: [] as string[] };
  async function send({ run, status }: Step) {
    const reply = await run();
    figures.requests += 1;
    if (reply.status !== status) figures.wrong.push(`${reply.status} for ${status}: ${reply.text}`);
  }
  async function drive({ reads, changes }: Tenant, until: number, intervalMs: number) {
    let next = performance.now() + Math.random() * intervalMs;
    for (let n = 0; performance.now() < until; n += 1) {
      const change = changes.find(({ due }) => due <= performance.now());
      if (change !== undefined) change.due = performance.now() + change.everyMs * (0.9 + Math.random() * 0.2);
      const step = reads[n % reads.length];
      const steps = change !== undefined ? await change.run() : step === undefined ? [] : [step];
      if (change !== undefined) figures.requests += 1;
      for (const one of steps) await send(one);
      next = Math.max(next + intervalMs, performance.now() - 1_000);
      if (next > performance.now()) await sleep(next - performance.now());
    }
  }
  return {
    figures,
    run(ms: number, perSecond = Number.POSITIVE_INFINITY): Promise<unknown> {
      const until = performance.now() + ms;
      return Promise.all(tenants.map((tenant) => drive(tenant, until, (1_000 * tenants.length) / perSecond)));
    },
  };
}

async function sampleOf(service: Service, sql: postgres.Sql, minutes: number): Promise<Sample> {
  service.output.text = '';
  service.child.kill('SIGUSR2');
  const text = await vi.waitFor(
    () => {
      const [, memory] = /^memory (\{.*\})$/m.exec(service.output.text) ?? [];
      if (memory === undefined) throw new Error('no answer yet');
      return memory;
    },
    { timeout: 10_000, interval: 10 },
  );
  const { heapUsed, external, rss } = JSON.parse(text);
  const [row] = await sql<{ count: number }[]>`
    select count(*)::int as count from pg_stat_activity where application_name = 'tenantry'`;
  return {
    minutes,
    live: heapUsed + external,
    rss,
    descriptors: (await readdir(`/proc/${service.child.pid}/fd`)).length,
    connections: row?.count ?? 0,
  };
}

/** Of the line of least squares, for each hour. */
function slopeOf(points: [minutes: number, value: number][]): number {
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [x, y] = [mean(points.map(([minutes]) => minutes)), mean(points.map(([, value]) => value))];
  const over = points.reduce((sum, [minutes, value]) => sum + (minutes - x) * (value - y), 0);
  const under = points.reduce((sum, [minutes]) => sum + (minutes - x) ** 2, 0);
  return (over / under) * 60;
}

test(
  `${MINUTES} minutes at half of the maximum: memory, files and connections stay what they were`,
  async () => {
    const directory = await temporaryDirectory();
    const service = await startService({
      DATA_DIR: directory,
      RATE_LIMIT_PER_MINUTE: '0',
      NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(PROBE)}`,
      ...ROOT,
    });
    onTestFinished(async () => {
      await service.end('SIGTERM');
      await rm(directory, { recursive: true, force: true });
    });
    const sql = postgres((await findRunning(directory)) ?? '', { max: 1 });
    onTestFinished(() => sql.end());
    const root = httpCaller(service.baseUrl, await signInRoot(service.baseUrl));
    const tenants: Tenant[] = [];
    for (const _ of times(TENANTS, (n) => n)) tenants.push(await createTenant(root, service.baseUrl));

    const load = createLoad(tenants);
    await load.run(FULL_SPEED_MS);
    const maximum = load.figures.requests / (FULL_SPEED_MS / 1_000);
    const samples: Sample[] = [];
    const begin = performance.now();
    const minutes = () => (performance.now() - begin) / 60_000;
    while (minutes() < MINUTES) {
      await load.run(SAMPLE_MS, maximum / 2);
      samples.push(await sampleOf(service, sql, minutes()));
    }

    const warm = samples.filter((sample) => sample.minutes >= MINUTES * WARM_UP);
    const slope = (of: (sample: Sample) => number) =>
      slopeOf(warm.map((sample) => [sample.minutes, of(sample)]));
    const growth = slope(({ live }) => live);
    const ends = [warm.slice(0, 5), warm.slice(-5)];
    const most = (of: (sample: Sample) => number) => ends.map((part) => Math.max(...part.map(of)));
    const [descriptors, connections] = [most((one) => one.descriptors), most((one) => one.connections)];
    process.stdout.write(
      `${JSON.stringify({
        minutes: MINUTES,
        requests: load.figures.requests,
        maximumPerSecond: Math.round(maximum),
        unexpected: load.figures.wrong.length,
        liveKb: ends.map((part) => Math.round((part[0]?.live ?? 0) / 1_000)),
        rssMb: ends.map((part) => Math.round((part[0]?.rss ?? 0) / 1_000_000)),
        growthKbPerHour: Math.round(growth / 1_000),
        rssKbPerHour: Math.round(slope(({ rss }) => rss) / 1_000),
        descriptors,
        connections,
      })}\n`,
    );
    expect(load.figures.wrong.slice(0, 5)).toEqual([]);
    if (MINUTES >= TELLING_MINUTES) expect(growth).toBeLessThan(MAX_GROWTH);
    expect(descriptors[1]).toBeLessThanOrEqual((descriptors[0] ?? 0) + 2);
    expect(connections[1]).toBeLessThanOrEqual(connections[0] ?? 0);
  },
  (MINUTES + 10) * 60_000,
);
