import { z } from 'zod';
import { getSettings, SETTINGS_FIELDS, updateSettings } from '../domain/settings/index.ts';
import { BUILT_IN_ADULT_AGE, BUILT_IN_ADULT_AGES, BUILT_IN_MINIMUM_AGES } from '../kernel/ages.ts';
import { COUNTRY_LEVELS, type InstallationSettings, requiresCountry } from '../kernel/installation.ts';
import { COUNTRY_PROBLEM, Country } from '../kernel/schemas.ts';
import { platformProcedure, publicProcedure, router } from './trpc.ts';

const Age = z.number().int().min(0).max(150).meta({ id: 'Age', description: 'Full years.' });
const byCountry = <T extends z.ZodType>(value: T) => z.record(Country, value);
const CountryLevel = z.enum(COUNTRY_LEVELS);

const Settings = z
  .object({
    registration: z.boolean().meta({ description: 'Whether people may make accounts.' }),
    refuseDisposableEmail: z
      .boolean()
      .meta({ description: 'Whether addresses of throw-away mail services are refused.' }),
    requireDateOfBirth: z
      .boolean()
      .meta({ description: 'When false, only countries in minimumAges with an age above 0 ask for it.' }),
    defaultCountryLevel: CountryLevel.meta({ description: 'Of countries that countryLevels does not name.' }),
    countryLevels: byCountry(CountryLevel).meta({
      description: 'closed refuses accounts from that country.',
    }),
    minimumAge: Age.meta({ description: 'Where neither minimumAges nor a higher built-in age holds.' }),
    minimumAges: byCountry(Age).meta({ description: 'Overrides.' }),
    adultAges: byCountry(Age).meta({ description: 'Overrides.' }),
    dns: z.boolean().meta({ description: 'Whether zones and records can be read and changed.' }),
    tunnels: z.boolean().meta({ description: 'Whether tunnel devices can be used.' }),
    countryRequired: z.boolean().meta({
      description: 'Whether a registration must name its country: a rule depends on it.',
    }),
    builtIn: z.object({ minimumAges: byCountry(Age), adultAge: Age, adultAges: byCountry(Age) }),
  })
  .meta({ id: 'Settings' });

const overrides = <T extends z.ZodType>(value: T) =>
  z
    .record(Country, value.nullable(), {
      error: ({ code }) => (code === 'invalid_key' ? COUNTRY_PROBLEM : undefined),
    })
    .optional()
    .meta({ description: 'By country. Other countries stay as they are; null takes an override away.' });

const Changes = z.object({
  registration: z.boolean().optional(),
  refuseDisposableEmail: z.boolean().optional(),
  requireDateOfBirth: z.boolean().optional(),
  defaultCountryLevel: CountryLevel.optional(),
  countryLevels: overrides(CountryLevel),
  minimumAge: Age.optional(),
  minimumAges: overrides(Age),
  adultAges: overrides(Age),
  dns: z.boolean().optional(),
  tunnels: z.boolean().optional(),
});

/** With what follows from the settings, so that a form need not know the rules. */
const describe = (settings: InstallationSettings) => ({
  ...settings,
  countryRequired: requiresCountry(settings),
  builtIn: {
    minimumAges: BUILT_IN_MINIMUM_AGES,
    adultAge: BUILT_IN_ADULT_AGE,
    adultAges: BUILT_IN_ADULT_AGES,
  },
});

export const settingsRouter = router({
  health: publicProcedure
    .meta({ summary: 'Tell that the service answers' })
    .output(z.object({ status: z.literal('ok') }))
    .query(() => ({ status: 'ok' as const })),

  get: publicProcedure
    .meta({
      summary: 'Read the rules of the installation',
      description: 'A registration form needs them, and trying to register would show them: none is secret.',
      version: SETTINGS_FIELDS,
    })
    .output(Settings)
    .query(async ({ ctx }) => describe(await getSettings(ctx.deps))),

  update: platformProcedure('settings.update')
    .meta({
      summary: 'Change rules of the installation',
      description: 'Omitted keeps. They hold from the next call on; accounts that exist stay.',
      version: SETTINGS_FIELDS,
    })
    .input(Changes)
    .output(Settings)
    .mutation(async ({ ctx, input }) =>
      describe(await updateSettings(ctx.deps, ctx.principal, input, ctx.ifMatch)),
    ),
});
