import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Transaction } from '../../src/db/client.ts';
import { createHarness, type Harness } from '../support/harness.ts';

/*
 * The server ends a session in the middle of a transaction: a restart, an administrator, a time limit. postgres.js as
 * published throws out of a timer then, which ends the process (porsager/postgres#1154, #1208), and lets what is left of
 * the transaction run on a connection that somebody else uses by then. See src/patches.
 */

let h: Harness;
beforeEach(async () => {
  h = await createHarness({ DATABASE_POOL_SIZE: '1' });
  await h.sql`create table written (what text)`;
});
afterEach(() => h[Symbol.asyncDispose]());

const pidOf = async (tx: Transaction) =>
  (await tx<{ pid: number }[]>`select pg_backend_pid() as pid`)[0]?.pid ?? 0;
const isGone = async (pid: number) =>
  (await h.sql`select 1 from pg_stat_activity where pid = ${pid}`).length === 0;

async function end(pid: number): Promise<void> {
  await h.sql`select pg_terminate_backend(${pid})`;
  await expect.poll(() => isGone(pid)).toBe(true);
}

const written = async () =>
  (await h.sql<{ what: string }[]>`select what from written`).map(({ what }) => what);
const serves = () => h.app.deps.db.query((sql) => sql<{ one: number }[]>`select 1 as one`);
const LOST = { code: 'SERVICE_UNAVAILABLE', reason: 'database_unavailable' };

describe('a connection that is lost', () => {
  test.each([
    ['a short statement', 'short'],
    ['a long one', 'long'.repeat(1_000)],
  ])('before %s of a transaction: the transaction fails, the service goes on', async (_, text) => {
    const change = h.app.deps.db.transaction(async (tx) => {
      await tx`insert into written values ('before')`;
      await end(await pidOf(tx));
      await tx`insert into written values (${text})`;
    });
    await expect(change).rejects.toMatchObject(LOST);
    expect(await serves()).toEqual([{ one: 1 }]);
    expect(await written()).toEqual([]);
  });

  test('while a statement of a transaction runs: the same', async () => {
    const change = h.app.deps.db.transaction(async (tx) => {
      await tx`insert into written values ('before')`;
      const pid = await pidOf(tx);
      const sleeping = tx`select pg_sleep(4)`.execute();
      await Promise.all([sleeping, end(pid)]);
    });
    await expect(change).rejects.toMatchObject(LOST);
    expect(await serves()).toEqual([{ one: 1 }]);
    expect(await written()).toEqual([]);
  });

  test('what is left of its transaction does not run in that of another', async () => {
    let goOn = () => {};
    const opened = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    let left: Promise<unknown> = Promise.resolve();
    const change = h.app.deps.db.transaction((tx) => {
      left = (async () => {
        await end(await pidOf(tx));
        await opened;
        await tx`insert into written values ('of the lost one')`;
      })();
      return left;
    });
    await expect(change).rejects.toMatchObject(LOST);
    await h.app.deps.db.transaction(async (tx) => {
      await tx`insert into written values ('of the other')`;
      goOn();
      await expect(left).rejects.toThrow();
      await tx`insert into written values ('of the other, later')`;
    });
    expect(await written()).toEqual(['of the other', 'of the other, later']);
  });

  test('fails the requests that it was for with 503, and no later one', async () => {
    const ada = await h.user();
    await h.sql.unsafe(`
      create function die() returns trigger language plpgsql as $$ begin
        perform pg_terminate_backend(pg_backend_pid()); return new;
      end $$;
      create trigger die before insert on organizations for each row execute function die()`);
    const reply = await ada.post('organization.create', { name: 'Acme' });
    expect({ status: reply.status, reason: reply.body.data.reason }).toEqual({
      status: 503,
      reason: LOST.reason,
    });
    await h.sql`drop trigger die on organizations`;
    expect((await ada.post('organization.create', { name: 'Acme' })).status).toBe(200);
  });
});
