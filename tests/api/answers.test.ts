import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Body, createHarness, type Harness, UNLIMITED } from '../support/harness.ts';
import { call, procedures } from './procedures.ts';
import { type Cast, createCast, createStage, INPUTS, type Stage } from './stage.ts';

/* Plain HTTP writes answers by the schema of their output: what it says is what tRPC says. */

let h: Harness;
let cast: Cast;
let stage: Stage;
beforeAll(async () => {
  h = await createHarness({}, { rateLimiter: UNLIMITED });
  cast = await createCast(h);
  stage = await createStage(h, cast);
  const hard = `"q" \\ / \u0001\u001f\u007f \t\n \u2028\u2029 \u00e4 \u{1f98a} ${'long '.repeat(300)}`;
  await h.sql`update organizations set description = ${hard}, metadata = ${JSON.stringify({ hard })}
    where id = ${stage.organizationId}`;
  await h.sql`update users set display_name = ${hard}, billing_city = ${hard}, name = '' where id = ${cast.owner.id}`;
  await h.sql`update memberships set created_at = '0001-01-01' where user_id = ${cast.member.id}`;
});
afterAll(() => h[Symbol.asyncDispose]());

const withoutTime = (body: Body): Body =>
  body?.exportedAt === undefined ? body : { ...body, exportedAt: null };

const reads = procedures.filter(({ type, meta }) => type === 'query' && meta.lines !== true);

test.each(reads)('$name', async (procedure) => {
  const { name, meta } = procedure;
  const holder = meta.access?.startsWith('platform:') ? cast.root : cast.owner;
  const input = (await INPUTS[name]?.({ h, cast, stage, holder })) ?? {};
  const plain = await call(holder, procedure, input);
  expect(plain.status, plain.text).toBe(200);
  const search = new URLSearchParams({ input: JSON.stringify({ json: input }) });
  const { body } = await holder.send(`/api/trpc/${name}?${search}`, {});
  expect(withoutTime(plain.body)).toEqual(withoutTime(body.result.data.json));
});
