import { describe, expect, test } from 'vitest';
import { EU_COUNTRIES, isCountry } from '../../src/kernel/countries.ts';
import {
  DEFAULT_SETTINGS,
  isOpen,
  requiresCountry,
  requiresDateOfBirth,
} from '../../src/kernel/installation.ts';

describe('a country', () => {
  test.each(['IE', 'IR', 'GB', 'US', 'AX', 'XK'])('is %s', (code) => expect(isCountry(code)).toBe(true));

  test.each(['ie', 'Ie', 'IRL', 'I', '', '372', 'UK', 'EU', 'ZZ', ' IE', 'IE\n', 'Ireland', 'constructor'])(
    'is not %j',
    (code) => expect(isCountry(code)).toBe(false),
  );

  test('of the European Union is one of 27', () => {
    expect(new Set(EU_COUNTRIES).size).toBe(27);
    expect(EU_COUNTRIES.every(isCountry)).toBe(true);
    for (const other of ['GB', 'NO', 'CH', 'IS', 'TR', 'UA']) expect(EU_COUNTRIES).not.toContain(other);
  });
});

describe('the level of a country', () => {
  const closedIran = { ...DEFAULT_SETTINGS, countryLevels: { IR: 'closed' as const } };

  test('holds for that country, not for others that begin alike', () => {
    expect(isOpen(closedIran, 'IR')).toBe(false);
    for (const country of ['IE', 'IT', 'IN', 'RI']) expect(isOpen(closedIran, country)).toBe(true);
  });

  test('is the default where none is set', () => {
    const onlyIreland = {
      ...DEFAULT_SETTINGS,
      defaultCountryLevel: 'closed' as const,
      countryLevels: { IE: 'open' as const },
    };
    expect([isOpen(onlyIreland, 'IE'), isOpen(onlyIreland, 'IR')]).toEqual([true, false]);
  });
});

describe('what a registration must say', () => {
  test.each([
    ['nothing by default', {}, false],
    ['the country when one is closed', { countryLevels: { IR: 'closed' } }, true],
    ['nothing when countries are named open', { countryLevels: { IE: 'open' } }, false],
    ['the country when all but some are closed', { defaultCountryLevel: 'closed' }, true],
    ['the country when one has an age of its own', { minimumAges: { KR: 14 } }, true],
    ['nothing when a country is freed of its age', { minimumAges: { IE: 0 } }, false],
    ['the country with the date of birth, whose minimum follows from it', { requireDateOfBirth: true }, true],
  ] as const)('is %s', (_, changes, expected) =>
    expect(requiresCountry({ ...DEFAULT_SETTINGS, ...changes })).toBe(expected),
  );

  test('is the date of birth where the country has an age of its own, or everywhere', () => {
    const settings = { ...DEFAULT_SETTINGS, minimumAges: { KR: 14, IE: 0 } };
    const asked = ['KR', 'IE', 'DE', null].map((country) => requiresDateOfBirth(settings, country));
    expect(asked).toEqual([true, false, false, false]);
    expect(requiresDateOfBirth({ ...DEFAULT_SETTINGS, requireDateOfBirth: true }, null)).toBe(true);
  });
});
