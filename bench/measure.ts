import type { Baseline, Call, Case } from './cases.ts';
import type { Load } from './load.ts';
import { generateLoad, type Server } from './processes.ts';
import type { Seeded } from './seed.ts';

/** Runs that are not counted, until the compiler has seen enough of either server. */
const WARM_UP_RUNS = 2;

export type Plan = { rounds: number; seconds: number; connections: number };

/** A server that answers, and what its database holds. */
export type Contestant = { server: Server; seeded: Seeded };
export type Contestants = { service: Contestant } & Partial<Record<Baseline, Contestant>>;

export type Sample = Load & {
  /** Processor time of the server per request, in microseconds. */
  cpu: number | undefined;
};

export type Comparison = {
  baseline: string;
  samples: Sample[];
  /** Requests per second of the service as a share of the baseline's, from the two runs of each round. */
  ratios: number[];
  /** The same by processor time: unlike the former it does not flatter when something else is the bottleneck. */
  cpuRatios: number[];
  target: number | undefined;
};

export type Result = {
  name: string;
  samples: Sample[];
  /** Of the service, for each request, with those of the jobs that it makes. */
  statements: number | undefined;
  comparisons: Comparison[];
};

export const median = (values: number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  const pair = [sorted[Math.ceil(half) - 1], sorted[Math.floor(half)]];
  return pair.reduce<number>((sum, value) => sum + (value ?? Number.NaN), 0) / 2;
};

async function ask(server: Server, calls: Call[]): Promise<unknown> {
  const [{ method, path, headers } = { method: 'GET', path: '/', headers: {} }] = calls;
  const response = await fetch(`${server.url}${path}`, { method, headers });
  if (response.status !== 200)
    throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
  return response.json();
}

const countOf = (rows: unknown): number | undefined => (Array.isArray(rows) ? rows.length : undefined);

/** Nothing is timed before all have answered a read with as many rows. */
async function check(one: Case, contestants: Contestants): Promise<void> {
  const { service } = contestants;
  if (one.rowsOf === undefined) return;
  const expected = countOf(one.rowsOf(await ask(service.server, one.calls(service.seeded))));
  for (const { baseline, calls } of one.against) {
    const other = contestants[baseline];
    if (other === undefined) continue;
    const body = await ask(other.server, calls(other.seeded));
    const bodies = [
      body,
      ...Object.values(body as object),
      one.rowsOf === undefined ? body : tryRows(one, body),
    ];
    if (!bodies.some((part) => countOf(part) === expected)) {
      throw new Error(`${one.name}: ${baseline} does not answer ${expected} rows.`);
    }
  }
}

function tryRows(one: Case, body: unknown): unknown {
  try {
    return one.rowsOf?.(body);
  } catch {
    return undefined; // it has a form of its own
  }
}

async function sample({ server }: Contestant, calls: Call[], plan: Plan, name: string): Promise<Sample> {
  const before = server.cpuTime();
  const load = await generateLoad({ url: server.url, calls, ...plan });
  const after = server.cpuTime();
  if (load.failed > 0) {
    throw new Error(`${name}: ${load.failed} requests failed: ${JSON.stringify(load.statuses)}.`);
  }
  const cpu = before === undefined || after === undefined ? undefined : (after - before) / load.requests;
  return { ...load, cpu };
}

/**
 * Times one case and its baselines in turns, so that whatever else the machine does meets all alike; who begins changes
 * with every round. `countStatements` reads how many the service's database has taken so far.
 */
export async function measure(
  one: Case,
  contestants: Contestants,
  plan: Plan,
  countStatements: () => Promise<number>,
): Promise<Result> {
  await check(one, contestants);
  const { service } = contestants;
  const loadPlan = { ...plan, connections: one.connections ?? plan.connections };
  const result: Result = { name: one.name, samples: [], statements: undefined, comparisons: [] };
  const sampleService = () =>
    sample(service, one.calls(service.seeded), loadPlan, one.name).then((taken) =>
      result.samples.push(taken),
    );
  const samplers = [sampleService];
  for (const { baseline, calls, target } of one.against) {
    const other = contestants[baseline];
    if (other === undefined) continue;
    const comparison: Comparison = { baseline, samples: [], ratios: [], cpuRatios: [], target };
    result.comparisons.push(comparison);
    samplers.push(() =>
      sample(other, calls(other.seeded), loadPlan, `${one.name} (${baseline})`).then((taken) =>
        comparison.samples.push(taken),
      ),
    );
  }

  for (let round = -WARM_UP_RUNS; round < plan.rounds; round += 1) {
    if (round === -1) {
      const [before, { requests }] = [await countStatements(), await sampleOnce(service, one, loadPlan)];
      result.statements = ((await countStatements()) - before) / requests;
    }
    for (const take of round % 2 === 0 ? samplers : samplers.toReversed()) await take();
    if (round < 0) forget(result);
  }
  for (const comparison of result.comparisons) {
    result.samples.forEach((ours, round) => {
      const theirs = comparison.samples[round];
      if (theirs === undefined) return;
      comparison.ratios.push(ours.perSecond / theirs.perSecond);
      if (ours.cpu !== undefined && theirs.cpu !== undefined)
        comparison.cpuRatios.push(theirs.cpu / ours.cpu);
    });
  }
  return result;
}

const sampleOnce = (service: Contestant, one: Case, plan: Plan) =>
  sample(service, one.calls(service.seeded), { ...plan, seconds: 1 }, one.name);

/** What was taken to warm up. */
function forget({ samples, comparisons }: Result): void {
  samples.length = 0;
  for (const comparison of comparisons) comparison.samples.length = 0;
}
