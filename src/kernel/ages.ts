import { EU_COUNTRIES, UNITED_KINGDOM } from './countries.ts';
import type { InstallationSettings } from './installation.ts';

/* Ages are full years by the calendar of UTC. Days are written YYYY-MM-DD, so they compare as text. */

/** Nobody alive was born before; earlier days are typing errors. */
const EARLIEST_BIRTH = '1900-01-01';

/** At least 14 in the European Union and the United Kingdom, unless the operator sets another age for the country. */
export const BUILT_IN_MINIMUM_AGES: Readonly<Record<string, number>> = Object.fromEntries(
  [...EU_COUNTRIES, UNITED_KINGDOM].map((country) => [country, 14]),
);

/** The age of majority, and the countries where it is another. */
export const BUILT_IN_ADULT_AGE = 18;
export const BUILT_IN_ADULT_AGES: Readonly<Record<string, number>> = {
  AE: 21,
  BH: 21,
  CA: 19,
  OM: 21,
  TH: 20,
  TW: 20,
};

const dayOf = (now: Date): string => now.toISOString().slice(0, 10);

/** What is wrong with a date of birth that the calendar knows, as one sentence; undefined when nothing is. */
export function dateOfBirthProblem(dateOfBirth: string, now: Date): string | undefined {
  if (dateOfBirth < EARLIEST_BIRTH) return `A date of birth is not before ${EARLIEST_BIRTH}.`;
  if (dateOfBirth > dayOf(now)) return 'A date of birth is not in the future.';
  return undefined;
}

/**
 * Full years from the date of birth, YYYY-MM-DD, to the day that `now` is in UTC. Who was born on 29 February turns a
 * year older on 1 March of years without that day.
 */
export function ageOn(dateOfBirth: string, now: Date): number {
  const today = dayOf(now);
  const years = Number(today.slice(0, 4)) - Number(dateOfBirth.slice(0, 4));
  return today.slice(5) < dateOfBirth.slice(5) ? years - 1 : years;
}

/** From what age people of that country may have an account; null is an unknown country. */
export function minimumAge(
  country: string | null,
  settings: Pick<InstallationSettings, 'minimumAge' | 'minimumAges'>,
): number {
  if (country === null) return settings.minimumAge;
  const builtIn = BUILT_IN_MINIMUM_AGES[country] ?? 0;
  return settings.minimumAges[country] ?? Math.max(settings.minimumAge, builtIn);
}

/** From what age people of that country are adults; null is an unknown country. */
export function adultAge(country: string | null, settings: Pick<InstallationSettings, 'adultAges'>): number {
  if (country === null) return BUILT_IN_ADULT_AGE;
  return settings.adultAges[country] ?? BUILT_IN_ADULT_AGES[country] ?? BUILT_IN_ADULT_AGE;
}

/** Whether somebody is below the adult age of the country. Who has not said when he was born counts as an adult. */
export const isChild = (
  { dateOfBirth, country }: { dateOfBirth: string | null; country: string | null },
  settings: Pick<InstallationSettings, 'adultAges'>,
  now: Date,
): boolean => dateOfBirth !== null && ageOn(dateOfBirth, now) < adultAge(country, settings);
