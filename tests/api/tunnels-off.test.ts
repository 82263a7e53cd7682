import { afterAll, beforeAll, expect, test } from 'vitest';
import { newUserCode } from '../../src/kernel/user-codes.ts';
import { createHarness, type Harness, UNLIMITED } from '../support/harness.ts';
import { call, procedures } from './procedures.ts';
import { type Cast, createCast, createStage, INPUTS, newEnrolment } from './stage.ts';

/* With tunnels switched off, whoever may call a procedure is told so, and nobody is told more than before. */

let h: Harness;
let cast: Cast;
beforeAll(async () => {
  h = await createHarness({}, { rateLimiter: UNLIMITED });
  cast = await createCast(h);
});
afterAll(() => h[Symbol.asyncDispose]());

const turn = (tunnels: boolean) => cast.root.post('settings.update', { tunnels });

test.each(procedures.filter(({ name }) => name.startsWith('tunnel')))(
  '$name is 503 for who may call it, and for others what it was',
  async (procedure) => {
    const { name, meta } = procedure;
    const stage = await createStage(h, cast);
    const input = (await INPUTS[name]?.({ h, cast, stage, holder: cast.owner })) ?? {};
    const id = Object.keys(input).find((field) => field.endsWith('Id'));
    const others = async () => {
      const refused = [
        ...(meta.access === 'public' ? [] : [await call(h.anonymous, procedure, input)]),
        ...(meta.access === 'public' || meta.access === 'user'
          ? []
          : [await call(cast.foreigner, procedure, input)]),
        ...(meta.access === 'tunnel:create' || meta.access === 'tunnel:delete'
          ? [await call(cast.member, procedure, input)]
          : []),
        ...(id === undefined ? [] : [await call(cast.owner, procedure, { ...input, [id]: cast.root.id })]),
      ];
      for (const { status } of refused) expect([401, 403, 404]).toContain(status);
      return refused.map(({ text }) => text);
    };
    const before = await others();
    await turn(false);
    try {
      const { status, body, headers } = await call(cast.owner, procedure, input);
      expect([status, body.data.reason, headers.get('retry-after')]).toEqual([503, 'tunnels_off', null]);
      expect(await others()).toEqual(before);
    } finally {
      await turn(true);
    }
    expect((await call(cast.owner, procedure, input)).status).toBe(200);
  },
);

test('no code can be told from another', async () => {
  const { deviceCode, userCode } = await newEnrolment(h);
  const answers = async (codes: { deviceCode: string; userCode: string }) => [
    (await h.anonymous.post('tunnelDevice.poll', codes)).text,
    (await cast.owner.get('tunnelDevice.preview', { userCode: codes.userCode })).text,
    (await cast.owner.post('tunnelDevice.approve', codes)).text,
    (await cast.owner.post('tunnelDevice.deny', codes)).text,
  ];
  await turn(false);
  const known = await answers({ deviceCode, userCode });
  const unknown = await answers({ deviceCode: 'x'.repeat(43), userCode: newUserCode() });
  await turn(true);
  expect(known).toEqual(unknown);
});
