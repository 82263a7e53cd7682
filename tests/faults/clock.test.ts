import { existsSync } from 'node:fs';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { httpCaller, times } from '../support/harness.ts';
import { faultRoundsOf, tell } from '../support/rounds.ts';
import { ROOT, signInRoot, startService, temporaryDirectory } from '../support/service.ts';

const ROUNDS = faultRoundsOf(1);
const SOON = { timeout: 15_000, interval: 50 };
const library = ['x86_64', 'aarch64']
  .map((machine) => `/usr/lib/${machine}-linux-gnu/faketime/libfaketimeMT.so.1`)
  .find((path) => existsSync(path));

const name =
  'the clock moved a week and a day ahead, and back: sessions end by it, and work is done all the same';
test.skipIf(library === undefined)(
  library === undefined ? `${name} (libfaketime is not installed)` : name,
  async () => {
    const directory = await temporaryDirectory();
    const clock = join(directory, 'clock');
    const moveTo = (offset: string) => writeFile(clock, `${offset}\n`);
    await moveTo('+0');
    const service = await startService({
      DATA_DIR: join(directory, 'data'),
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: clock,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      ...ROOT,
    });
    onTestFinished(async () => {
      await service.end('SIGTERM');
      await rm(directory, { recursive: true, force: true });
    });
    const mails = async () => (await readdir(join(directory, 'data/mail')).catch(() => [])).length;
    let requests = 0;
    const waits: number[] = [];
    const signIn = async () => httpCaller(service.baseUrl, await signInRoot(service.baseUrl));
    const statusOf = async (caller: Awaited<ReturnType<typeof signIn>>) => {
      requests += 1;
      return (await caller.get('user.me')).status;
    };
    /** An invitation is taken, and its mail leaves. */
    async function works(caller: Awaited<ReturnType<typeof signIn>>): Promise<void> {
      const before = await mails();
      const email = `somebody${++requests}@example.org`;
      const { status, text } = await caller.post('organization.inviteMember', { email, role: 'member' });
      expect(status, text).toBe(200);
      const asked = performance.now();
      await vi.waitFor(async () => expect(await mails()).toBeGreaterThan(before), SOON);
      waits.push(performance.now() - asked);
    }

    for (const _round of times(ROUNDS, (n) => n)) {
      const today = await signIn();
      await works(today);
      await moveTo('+8d');
      expect(await statusOf(today)).toBe(401);
      const ahead = await signIn();
      await works(ahead);
      await moveTo('+0');
      expect(await statusOf(ahead)).toBe(200);
      await works(ahead);
      expect((await fetch(`${service.baseUrl}/ready`)).status).toBe(200);
    }
    expect(service.output.text).not.toContain('request failed');
    tell('Clock moved ahead and back', {
      rounds: ROUNDS,
      requests,
      lost: 0,
      'answered 500': 0,
      'slowest mail in ms': Math.max(...waits),
    });
  },
  600_000,
);
