import { getAlpha2Codes } from 'i18n-iso-countries/index.js'; // the main entry would load the names in 80 languages

/** ISO 3166-1 alpha-2, and XK for Kosovo, which the European Union uses while ISO has assigned nothing. */
const COUNTRIES: ReadonlySet<string> = new Set(Object.keys(getAlpha2Codes()));

/** Whether it is a country's code, exactly: two upper-case letters, never a longer code or a name. */
export const isCountry = (text: string): boolean => COUNTRIES.has(text);

/** The member states of the European Union since 2020: https://european-union.europa.eu/principles-countries-history/eu-countries_en */
export const EU_COUNTRIES = [
  ...['AT', 'BE', 'BG', 'CY', 'CZ', 'DE', 'DK', 'EE', 'ES'],
  ...['FI', 'FR', 'GR', 'HR', 'HU', 'IE', 'IT', 'LT', 'LU'],
  ...['LV', 'MT', 'NL', 'PL', 'PT', 'RO', 'SE', 'SI', 'SK'],
] as const;

export const UNITED_KINGDOM = 'GB';
