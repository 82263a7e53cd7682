import { getAlpha2Codes } from 'i18n-iso-countries/index.js';

const NAMES = new Intl.DisplayNames('en', { type: 'region' });

/** Every country by its name, for a choice. */
export const COUNTRIES = Object.keys(getAlpha2Codes())
  .map((code) => ({ value: code, label: NAMES.of(code) ?? code }))
  .sort((one, other) => one.label.localeCompare(other.label));
