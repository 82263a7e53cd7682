import { availableParallelism } from 'node:os';
import { withInstallation } from './installation.ts';
import { median } from './measure.ts';
import { generateLoad } from './processes.ts';
import { PASSWORD } from './seed.ts';

/*
 * npm run bench:sign-ins
 *
 * Password hashes are slow on purpose. How much do 64 people who sign in at once slow everybody else down, and does the
 * time of a refusal tell whether an address has an account? Nothing is pinned to a processor.
 */

const AT_ONCE = 64;
const SECONDS = 10;
/** Of each kind. With those of the storm they stay below what everybody may do together in a minute. */
const TRIES = 75;
/** Enough that nobody comes to the limit of his account. */
const ACCOUNTS = 640;

const say = (text: string): void => void process.stdout.write(`${text}\n`);

const addressOf = (email: string): string => {
  const n = Number(/\d+/.exec(email)?.[0]);
  return `10.${email.startsWith('user') ? 1 : 2}.${n >> 8}.${n & 255}`;
};
/** Of those that are there from the start. */
const emailOf = (n: number) => `user${n + 1}@example.org`;

/** Everybody comes from an address of his own, so that the limits of guessing do not end the measurement. */
const signIn = (url: string, email: string, password: string): Promise<Response> =>
  fetch(`${url}/api/auth/sign-in/email`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-forwarded-for': addressOf(email) },
    body: JSON.stringify({ email, password }),
  });

async function timed(task: () => Promise<Response>): Promise<{ ms: number; status: number }> {
  const start = performance.now();
  const response = await task();
  await response.arrayBuffer();
  return { ms: performance.now() - start, status: response.status };
}

async function compareRefusals(url: string): Promise<void> {
  const times = { known: [] as number[], unknown: [] as number[] };
  for (let n = 0; n < TRIES; n += 1) {
    const [known, unknown] = [emailOf(n % ACCOUNTS), `nobody${n % ACCOUNTS}@example.org`];
    for (const [kind, email] of n % 2 === 0
      ? ([
          ['known', known],
          ['unknown', unknown],
        ] as const)
      : ([
          ['unknown', unknown],
          ['known', known],
        ] as const)) {
      const { ms, status } = await timed(() => signIn(url, email, 'Wrong-horse-1'));
      if (status !== 401) throw new Error(`A wrong password answered ${status}.`);
      times[kind].push(ms);
    }
  }
  const [known, unknown] = [median(times.known), median(times.unknown)];
  say(
    `wrong password: ${known.toFixed(2)} ms; unknown address: ${unknown.toFixed(2)} ms (medians of ${TRIES} each, in turns); ` +
      `ratio ${(known / unknown).toFixed(3)}`,
  );
}

/** Signs in without a pause until `isOver`, as so many people at once. @returns how many got in */
async function storm(url: string, isOver: () => boolean): Promise<{ signedIn: number; refused: number }> {
  const counts = { signedIn: 0, refused: 0 };
  await Promise.all(
    Array.from({ length: AT_ONCE }, async (_, n) => {
      for (let who = n; !isOver(); who = (who + AT_ONCE) % ACCOUNTS) {
        const { status } = await timed(() => signIn(url, emailOf(who), PASSWORD));
        if (status === 200) counts.signedIn += 1;
        else counts.refused += 1;
      }
    }),
  );
  return counts;
}

async function healthTimes(url: string, isOver: () => boolean): Promise<number[]> {
  const times: number[] = [];
  while (!isOver()) times.push((await timed(() => fetch(`${url}/health`))).ms);
  return times;
}

await withInstallation({ TRUSTED_PROXIES: '127.0.0.1' }, async ({ url, seeded: { cookie } }) => {
  await compareRefusals(url);

  const read = () =>
    generateLoad({
      url,
      calls: [{ method: 'GET', path: '/api/organization.all', headers: { cookie } }],
      connections: 32,
      seconds: SECONDS,
    });
  await read(); // until the compiler has seen enough
  const before = await read();
  let isOver = false;
  const [during, counts, health] = await Promise.all([
    read().finally(() => {
      isOver = true;
    }),
    storm(url, () => isOver),
    healthTimes(url, () => isOver),
  ]);
  health.sort((a, b) => a - b);
  say(
    `reads: ${Math.round(before.perSecond)}/s alone, ${Math.round(during.perSecond)}/s beside ${AT_ONCE} who sign in without a pause: ` +
      `${(during.perSecond / before.perSecond).toFixed(2)} of it (${during.failed} failed)`,
  );
  say(
    `/health meanwhile: p50 ${median(health).toFixed(1)} ms, slowest ${health.at(-1)?.toFixed(1)} ms of ${health.length}; ` +
      `${Math.round(counts.signedIn / SECONDS)} sign-ins/s, ${counts.refused} told to come again`,
  );
  say(
    `${availableParallelism()} cores, Node ${process.versions.node}, PostgreSQL bundled, all on the same machine`,
  );
});
