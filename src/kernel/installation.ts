/** What people of a country may do: `closed` refuses them an account. */
export const COUNTRY_LEVELS = ['open', 'closed'] as const;
export type CountryLevel = (typeof COUNTRY_LEVELS)[number];

/** Rules of the installation, which platform administrators change while it runs. Maps go by ISO 3166-1 alpha-2. */
export type InstallationSettings = {
  /** Whether people may make accounts. */
  registration: boolean;
  /** Whether addresses of throw-away mail services are refused. */
  refuseDisposableEmail: boolean;
  /** Whether nobody registers without a date of birth. */
  requireDateOfBirth: boolean;
  /** The level of countries without one of their own. */
  defaultCountryLevel: CountryLevel;
  countryLevels: Record<string, CountryLevel>;
  /** In full years, where neither an override nor a built-in age of the country says more. */
  minimumAge: number;
  /** Overrides of the minimum age, in full years. */
  minimumAges: Record<string, number>;
  /** Overrides of the age of majority, in full years. */
  adultAges: Record<string, number>;
  /** Whether zones and records can be read and changed. */
  dns: boolean;
  /** Whether tunnel devices can be used. */
  tunnels: boolean;
};

export const DEFAULT_SETTINGS: InstallationSettings = {
  registration: true,
  refuseDisposableEmail: false,
  requireDateOfBirth: false,
  defaultCountryLevel: 'open',
  countryLevels: {},
  minimumAge: 13,
  minimumAges: {},
  adultAges: {},
  dns: true,
  tunnels: true,
};

export const isOpen = (settings: InstallationSettings, country: string): boolean =>
  (settings.countryLevels[country] ?? settings.defaultCountryLevel) === 'open';

/** A minimum age set for a country must be proved there; where it was set to 0 there is nothing to prove. */
const hasOwnMinimum = (age: number | undefined): boolean => age !== undefined && age > 0;

/** Whether a registration must name the country: once a rule depends on it, leaving it out would dodge the rule. */
export const requiresCountry = (settings: InstallationSettings): boolean =>
  settings.requireDateOfBirth ||
  settings.defaultCountryLevel === 'closed' ||
  Object.values(settings.countryLevels).includes('closed') ||
  Object.values(settings.minimumAges).some(hasOwnMinimum);

/** Whether a registration from that country must give the date of birth. */
export const requiresDateOfBirth = (settings: InstallationSettings, country: string | null): boolean =>
  settings.requireDateOfBirth || (country !== null && hasOwnMinimum(settings.minimumAges[country]));
