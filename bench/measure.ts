import { isDeepStrictEqual } from 'node:util';
import type { Call, Case } from './cases.ts';
import type { Load } from './load.ts';
import { generateLoad, type Server } from './processes.ts';
import type { Seeded } from './seed.ts';

/** Runs that are not counted, until the compiler has seen enough of either server. */
const WARM_UP_RUNS = 2;

export type Plan = { rounds: number; seconds: number; connections: number };

export type Sample = Load & {
  /** Processor time of the server per request, in microseconds. */
  cpu: number | undefined;
};

export type Result = {
  name: string;
  samples: Sample[];
  bare: Sample[];
  /** Requests per second as a share of the bare server's, from the two runs of each round. */
  ratios: number[];
  /** The same by processor time: unlike the former it does not flatter when something else is the bottleneck. */
  cpuRatios: number[];
  target: number | undefined;
};

export const median = (values: number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  const pair = [sorted[Math.ceil(half) - 1], sorted[Math.floor(half)]];
  return pair.reduce<number>((sum, value) => sum + (value ?? Number.NaN), 0) / 2;
};

async function ask(server: Server, { method, path, headers, body }: Call): Promise<unknown> {
  const response = await fetch(`${server.url}${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body }),
  });
  if (response.status !== 200)
    throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
  return response.json();
}

/** Nothing is timed before both servers have answered the same. */
async function check(one: Case, seeded: Seeded, service: Server, bare: Server): Promise<void> {
  const rows = one.rowsOf(await ask(service, one.call(seeded)));
  const expected = one.rows?.(seeded);
  if (expected !== undefined && (!Array.isArray(rows) || rows.length !== expected)) {
    throw new Error(`${one.name} does not answer ${expected} rows.`);
  }
  if (one.bare === undefined) return;
  if (!isDeepStrictEqual(rows, await ask(bare, one.bare(seeded)))) {
    throw new Error(
      `${one.name}: the bare server answers something else. bench/baseline.ts must show the same rows.`,
    );
  }
}

async function sample(server: Server, call: Call, plan: Plan): Promise<Sample> {
  const { path, ...request } = call;
  const before = server.cpuTime();
  const load = await generateLoad({
    ...request,
    url: `${server.url}${path}`,
    connections: plan.connections,
    seconds: plan.seconds,
  });
  const after = server.cpuTime();
  if (load.failed > 0) throw new Error(`${path}: ${load.failed} requests failed.`);
  const cpu = before === undefined || after === undefined ? undefined : (after - before) / load.requests;
  return { ...load, cpu };
}

/**
 * Times one case and the bare server in turns, so that whatever else the machine does meets both alike; who begins
 * changes with every round.
 */
export async function measure(
  one: Case,
  seeded: Seeded,
  service: Server,
  bare: Server,
  plan: Plan,
): Promise<Result> {
  await check(one, seeded, service, bare);
  const sampleService = () => sample(service, one.call(seeded), plan);
  const call = one.bare?.(seeded);
  const sampleBare = async () => (call === undefined ? undefined : sample(bare, call, plan));

  for (let run = 0; run < WARM_UP_RUNS; run += 1) {
    await sampleService();
    await sampleBare();
  }
  const result: Result = {
    name: one.name,
    samples: [],
    bare: [],
    ratios: [],
    cpuRatios: [],
    target: one.target,
  };
  for (let round = 0; round < plan.rounds; round += 1) {
    const first = round % 2 === 0 ? await sampleBare() : undefined;
    const ours = await sampleService();
    const theirs = first ?? (await sampleBare());
    result.samples.push(ours);
    if (theirs === undefined) continue;
    result.bare.push(theirs);
    result.ratios.push(ours.perSecond / theirs.perSecond);
    if (ours.cpu !== undefined && theirs.cpu !== undefined) result.cpuRatios.push(theirs.cpu / ours.cpu);
  }
  return result;
}
