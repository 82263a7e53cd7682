import { median, type Plan, type Result, type Sample } from './measure.ts';

const NONE = '–';
const whole = (value: number): string => Math.round(value).toLocaleString('en-US');
const share = (value: number): string => value.toFixed(2);

function middle(samples: Sample[], pick: (sample: Sample) => number | undefined): string {
  const values = samples.map(pick).filter((value) => value !== undefined);
  return values.length === 0 ? NONE : whole(median(values));
}

/** The median and, in brackets, the extremes. */
const spread = (ratios: number[]): string =>
  ratios.length === 0
    ? NONE
    : `${share(median(ratios))} (${share(Math.min(...ratios))}–${share(Math.max(...ratios))})`;

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
  'of bare server, by requests/s',
  'by CPU time',
  'target',
];

function rowsOf({ name, samples, bare, ratios, cpuRatios, target }: Result): string[] {
  const verdict =
    target === undefined || ratios.length === 0
      ? NONE
      : `≥ ${share(target)}, ${median(ratios) >= target ? 'met' : 'missed'}`;
  const service = row([name, ...columns(samples), spread(ratios), spread(cpuRatios), verdict]);
  return bare.length === 0 ? [service] : [service, row(['↳ bare server', ...columns(bare), '1', '1', NONE])];
}

/** The results as Markdown. `machine` says what they were measured on. */
export function report(results: Result[], machine: string, plan: Plan): string {
  return [
    '# Measurements',
    '',
    'Written by `npm run bench`. The bare server ([baseline.ts](baseline.ts)) is node:http and postgres.js with the',
    'same statements and the same answer, and nothing else. Service and bare server are measured in turns; the',
    'numbers are medians over the rounds, the shares medians of the shares within each round with their extremes.',
    '',
    `${machine}. ${plan.connections} connections, ${plan.rounds} rounds of ${plan.seconds} s.`,
    '',
    row(TITLES),
    row(TITLES.map((_, index) => (index === 0 ? '---' : '---:'))),
    ...results.flatMap(rowsOf),
    '',
  ].join('\n');
}
