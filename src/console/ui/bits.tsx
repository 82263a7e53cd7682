import type { ReactNode } from 'react';

type Tone = 'good' | 'warn' | 'bad' | 'plain';

/** A short state, told by its word and its colour. */
export const Badge = ({ tone = 'plain', children }: { tone?: Tone; children: ReactNode }) => (
  <span className={`badge ${tone}`}>{children}</span>
);

const FORMAT = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const RELATIVE = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const UNITS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
];

function distance(from: number): string {
  const [unit, ms] = UNITS.find(([, ms]) => Math.abs(from) >= ms) ?? ['second', 1_000];
  return RELATIVE.format(Math.round(from / ms), unit);
}

const FAR_MS = 30 * 86_400_000;

/** A moment as people say it, the exact one on hovering; a dash for none. */
export function When({ at }: { at: Date | null }) {
  if (at === null) return <span className="faint">–</span>;
  const from = at.getTime() - Date.now();
  return (
    <time dateTime={at.toISOString()} title={FORMAT.format(at)}>
      {Math.abs(from) > FAR_MS ? FORMAT.format(at) : distance(from)}
    </time>
  );
}

/** A picture, or the first letters. */
export function Avatar({ url, name }: { url: string | null; name: string }) {
  if (url !== null) return <img className="avatar" src={new URL(url).pathname} alt="" />;
  const letters = name
    .split(/\s+/)
    .map((word) => word.charAt(0))
    .slice(0, 2)
    .join('');
  return (
    <span className="avatar" aria-hidden>
      {letters}
    </span>
  );
}

/** A name with what stands below it. */
export const Titled = ({ title, below }: { title: ReactNode; below: ReactNode }) => (
  <span className="titled">
    <span>{title}</span>
    <span className="faint">{below}</span>
  </span>
);

/** Facts by name. */
export function Facts({ facts }: { facts: readonly (readonly [string, ReactNode])[] }) {
  return (
    <dl className="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
