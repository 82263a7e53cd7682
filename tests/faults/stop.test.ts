import { rm } from 'node:fs/promises';
import postgres from 'postgres';
import { expect, onTestFinished, test } from 'vitest';
import { findRunning } from '../../src/db/embedded/index.ts';
import { httpCaller, times } from '../support/harness.ts';
import { auditOf, type Load, startLoad, totalOf } from '../support/load.ts';
import { faultRoundsOf, tell } from '../support/rounds.ts';
import { ROOT, signInRoot, startService, temporaryDirectory, tenantry } from '../support/service.ts';

const ROUNDS = faultRoundsOf(1);
const WRITES = 20;
const DRAIN_MS = 10_000;

test('stopped under load it ends in time with code 0, and keeps what it acknowledged; a second one is refused meanwhile', async () => {
  const directory = await temporaryDirectory();
  const environment = { DATA_DIR: directory, RATE_LIMIT_PER_MINUTE: '0', ...ROOT };
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const loads: Load[] = [];
  const drains: number[] = [];
  for (const _round of times(ROUNDS, (n) => n)) {
    const service = await startService(environment);
    const load = startLoad(httpCaller(service.baseUrl, await signInRoot(service.baseUrl)), {
      untilLost: true,
    });
    await load.more(WRITES);
    const second = await tenantry(['serve'], environment);
    expect({ code: second.code, stderr: second.stderr }).toEqual({
      code: 1,
      stderr: expect.stringContaining(`is in use by process ${service.child.pid}`),
    });
    expect(second.stderr).not.toMatch(/\n\s+at /);
    await load.more(WRITES);
    const started = performance.now();
    expect(await service.end('SIGTERM')).toBe(0);
    drains.push(performance.now() - started);
    await load.stop();
    loads.push(load);
    expect([...load.statuses.keys()].filter((status) => status !== 0 && status !== 200)).toEqual([]);
  }

  const service = await startService(environment);
  onTestFinished(async () => void (await service.end('SIGTERM')));
  const sql = postgres((await findRunning(directory)) ?? '', { max: 1 });
  onTestFinished(() => sql.end());
  const acknowledged = loads.flatMap((load) => load.acknowledged);
  const { lost, violated } = await auditOf(sql, { acknowledged });
  const { code, stdout } = await tenantry(['audit', 'verify'], { DATA_DIR: directory });
  tell('Stopped under load', {
    rounds: ROUNDS,
    requests: loads.map(totalOf).reduce((a, b) => a + b, 0),
    acknowledged: acknowledged.length,
    lost: lost.length,
    violated: violated.length,
    'slowest drain in ms': Math.max(...drains),
  });
  expect(lost).toEqual([]);
  expect(violated).toEqual([]);
  expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining(' 0 chains broken') });
  expect(Math.max(...drains)).toBeLessThan(DRAIN_MS);
}, 600_000);
