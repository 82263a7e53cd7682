import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { adultAge, ageOn, dateOfBirthProblem, isChild, minimumAge } from '../../src/kernel/ages.ts';
import { EU_COUNTRIES } from '../../src/kernel/countries.ts';
import { DEFAULT_SETTINGS } from '../../src/kernel/installation.ts';

const at = (day: string, time = '12:00:00.000Z') => new Date(`${day}T${time}`);
const dayOf = (date: Date) => date.toISOString().slice(0, 10);

describe('the age', () => {
  test.each([
    ['2000-05-15', '2018-05-14', 17],
    ['2000-05-15', '2018-05-15', 18],
    ['2000-12-31', '2018-01-01', 17],
    ['2000-01-01', '2018-12-31', 18],
    ['2004-02-29', '2022-02-28', 17],
    ['2004-02-29', '2022-03-01', 18],
    ['2004-02-29', '2024-02-29', 20],
    ['2018-05-15', '2018-05-15', 0],
  ])('of who was born on %s is on %s %i', (born, day, age) => expect(ageOn(born, at(day))).toBe(age));

  test('turns at midnight of UTC', () => {
    expect(ageOn('2000-05-15', at('2018-05-14', '23:59:59.999Z'))).toBe(17);
    expect(ageOn('2000-05-15', at('2018-05-15', '00:00:00.000Z'))).toBe(18);
    expect(ageOn('2000-05-15', new Date('2018-05-15T01:00:00+02:00'))).toBe(17);
  });

  const moment = fc.date({
    min: at('1900-01-01'),
    max: at('2150-12-31'),
    noInvalidDate: true,
  });

  test('is the number of birthdays since, whatever the days', () =>
    fc.assert(
      fc.property(
        moment,
        fc.nat({ max: 100 }),
        fc.integer({ min: 0, max: 86_399_999 }),
        (born, years, ms) => {
          // JavaScript itself moves 29 February to 1 March where there is none.
          const [y, m, d] = [born.getUTCFullYear(), born.getUTCMonth(), born.getUTCDate()];
          const birthday = Date.UTC(y + years, m, d);
          expect(ageOn(dayOf(born), new Date(birthday + ms))).toBe(years);
          expect(ageOn(dayOf(born), new Date(birthday - 1))).toBe(years - 1);
        },
      ),
    ));

  test('never falls as time goes on, and never rises with a later birth', () =>
    fc.assert(
      fc.property(moment, moment, moment, (a, b, c) => {
        const [first, second, third] = [a, b, c].sort((x, y) => x.getTime() - y.getTime());
        if (first === undefined || second === undefined || third === undefined) return;
        expect(ageOn(dayOf(first), third)).toBeGreaterThanOrEqual(ageOn(dayOf(first), second));
        expect(ageOn(dayOf(first), third)).toBeGreaterThanOrEqual(ageOn(dayOf(second), third));
      }),
    ));
});

describe('the minimum age', () => {
  test('is 14 in the European Union and the United Kingdom, 13 elsewhere and where the country is unknown', () => {
    for (const country of [...EU_COUNTRIES, 'GB']) expect(minimumAge(country, DEFAULT_SETTINGS)).toBe(14);
    for (const country of ['US', 'IR', 'NO', 'CH', 'UA', null]) {
      expect(minimumAge(country, DEFAULT_SETTINGS)).toBe(13);
    }
  });

  test('of the installation does not fall below the built-in one, and may rise above it', () => {
    const of = (minimum: number) =>
      ['DE', 'US', null].map((country) => minimumAge(country, { minimumAge: minimum, minimumAges: {} }));
    expect(of(16)).toEqual([16, 16, 16]);
    expect(of(0)).toEqual([14, 0, 0]);
  });

  test('that was set for a country is the word, for that country alone', () => {
    const settings = { minimumAge: 13, minimumAges: { IR: 18, DE: 0 } };
    const found = ['IR', 'IE', 'IT', 'DE', 'AT'].map((country) => minimumAge(country, settings));
    expect(found).toEqual([18, 14, 14, 0, 14]);
  });
});

describe('the adult age', () => {
  test('is 18, with exceptions', () => {
    const of = (countries: string[]) => countries.map((country) => adultAge(country, DEFAULT_SETTINGS));
    expect(of(['IE', 'US', 'JP'])).toEqual([18, 18, 18]);
    expect(of(['CA', 'TH', 'TW', 'AE', 'BH', 'OM'])).toEqual([19, 20, 20, 21, 21, 21]);
    expect(adultAge(null, DEFAULT_SETTINGS)).toBe(18);
  });

  test('can be set for a country, above and below', () => {
    const settings = { adultAges: { CA: 18, IE: 21 } };
    expect(['CA', 'IE', 'IR', 'TH'].map((country) => adultAge(country, settings))).toEqual([18, 21, 18, 20]);
  });

  test.each([
    ['2000-05-15', 'CA', '2018-05-15', true],
    ['2000-05-15', 'US', '2018-05-15', false],
    ['2000-05-15', 'US', '2018-05-14', true],
    ['2000-05-15', null, '2018-05-14', true],
    [null, 'CA', '2018-05-14', false],
  ])('parts children from others: born %s, %s, on %s', (dateOfBirth, country, day, expected) =>
    expect(isChild({ dateOfBirth, country }, DEFAULT_SETTINGS, at(day))).toBe(expected),
  );
});

test.each([
  ['1899-12-31', /1900-01-01/],
  ['1900-01-01', undefined],
  ['2018-05-15', undefined],
  ['2018-05-16', /future/],
])('a date of birth of %s', (day, problem) => {
  const found = dateOfBirthProblem(day, at('2018-05-15'));
  if (problem === undefined) expect(found).toBeUndefined();
  else expect(found).toMatch(problem);
});
