import { median, type Plan, type Result, type Sample } from './measure.ts';

const NONE = '–';
const whole = (value: number): string => Math.round(value).toLocaleString('en-US');
const short = (value: number): string => (value < 10 ? value.toFixed(2) : value.toFixed(1));

function middle(samples: Sample[], pick: (sample: Sample) => number | undefined): string {
  const values = samples.map(pick).filter((value) => value !== undefined);
  return values.length === 0 ? NONE : whole(median(values));
}

/** The median and, in brackets, the extremes. */
const spread = (ratios: number[]): string =>
  ratios.length === 0
    ? NONE
    : `${short(median(ratios))} (${short(Math.min(...ratios))}–${short(Math.max(...ratios))})`;

const row = (cells: string[]): string => `| ${cells.join(' | ')} |`;

const columns = (samples: Sample[]): string[] => [
  middle(samples, ({ perSecond }) => perSecond),
  middle(samples, ({ p50 }) => p50),
  middle(samples, ({ p99 }) => p99),
  middle(samples, ({ cpu }) => cpu),
];

const TITLES = [
  'case',
  'requests/s',
  'p50 ms',
  'p99 ms',
  'server CPU µs per request',
  'statements',
  'service : baseline, by requests/s',
  'by CPU time',
  'target',
];

function rowsOf({ name, samples, statements, comparisons }: Result): string[] {
  const counted = statements === undefined ? NONE : statements.toFixed(1);
  return [
    row([name, ...columns(samples), counted, NONE, NONE, NONE]),
    ...comparisons.map(({ baseline, samples: theirs, ratios, cpuRatios, target }) => {
      const verdict =
        target === undefined ? NONE : `≥ ${target}, ${median(ratios) >= target ? 'met' : 'missed'}`;
      return row([
        ...[`↳ ${baseline}`, ...columns(theirs), NONE],
        ...[spread(ratios), spread(cpuRatios), verdict],
      ]);
    }),
  ];
}

/** The results as a table in Markdown. `machine` says what they were measured on. */
export const table = (results: Result[], machine: string, plan: Plan): string =>
  [
    `${machine}. ${plan.connections} connections where nothing else is said, ${plan.rounds} rounds of ${plan.seconds} s.`,
    '',
    row(TITLES),
    row(TITLES.map((_, index) => (index === 0 ? '---' : '---:'))),
    ...results.flatMap(rowsOf),
    '',
  ].join('\n');

/** What stands above the tables, by file. */
export const HEADINGS = {
  'RESULTS.md': `# Measurements

Written by \`npm run bench\`. All are measured in turns, so that whatever else the machine does meets all alike; the
numbers are medians over the rounds, the ratios medians of the ratios within each round with their extremes. The
baselines are

- **bare** ([baseline.ts](baseline.ts)): node:http and postgres.js with the service's own statements, their rows as
  JSON, and nothing else;
- **better-auth** ([better-auth/server.mjs](better-auth/server.mjs)): its plugins for organizations and API keys as they
  come, on a database of its own with as many rows. What it writes has no audit row and no mail;
- **adapters** ([adapters.ts](adapters.ts)): the service's own procedures behind tRPC's adapter for node:http, or
  trpc-to-openapi's.

\`statements\` are those that the service sends for each request, with \`begin\` and \`commit\` and those of the jobs that it
makes, as PostgreSQL counts them. Reads of one caller that come together find him by one statement, so those of 32
connections of one caller have less than two; every server is told that it has one processor (\`--v8-pool-size=1\`).
`,
  'RESULTS-users.md': `# The same with more users

Written by \`npm run bench -- --users 1000000\`: the service with so many users, half as many organizations and twice as
many memberships against itself with 10,000 users, measured in turns as in [RESULTS.md](RESULTS.md).
`,
} as const;
