import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import postgres from 'postgres';
import { expect, inject, onTestFinished, test } from 'vitest';

/*
 * postgres.js as published stops reading for good when the last bytes of a COPY have filled its buffer, and never says that a
 * COPY into a table has failed. See src/patches.
 */

test('a connection reads on after a large COPY', { timeout: 20_000 }, async () => {
  const sql = postgres(inject('databaseUrl'), { max: 1 });
  onTestFinished(() => sql.end({ timeout: 1 }));
  await sql.begin(async (tx) => {
    for (const size of [1, 1_000, 50_000]) {
      const rows = await tx
        .unsafe(`copy (select repeat('x', 999) from generate_series(1, ${size})) to stdout`)
        .readable();
      let bytes = 0;
      for await (const chunk of rows) bytes += chunk.length;
      expect(bytes).toBe(size * 1_000);
    }
    expect(await tx`select 1 as one`).toEqual([{ one: 1 }]);
  });
});

test('a COPY into a table that fails says so', { timeout: 20_000 }, async () => {
  const sql = postgres(inject('databaseUrl'), { max: 1 });
  onTestFinished(() => sql.end({ timeout: 1 }));
  const copy = sql.begin(async (tx) => {
    await tx`create temp table numbers (n int primary key) on commit drop`;
    await pipeline(Readable.from(['1\n', '1\n']), await tx`copy numbers from stdin`.writable());
  });
  await expect(copy).rejects.toMatchObject({ code: '23505' });
  expect(await sql`select 1 as one`).toEqual([{ one: 1 }]);
});
