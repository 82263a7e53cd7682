import type { ReactNode } from 'react';
import { COUNTRY_LEVELS } from '../../kernel/installation.ts';
import type { InputOf, OutputOf } from '../lib/api.ts';
import { type Act, useAct, useRead } from '../lib/calls.tsx';
import { COUNTRIES } from '../lib/countries.ts';
import { texts } from '../texts.ts';
import { Badge } from '../ui/bits.tsx';
import { Button } from '../ui/button.tsx';
import { Check, changesOf, Field, Form, Select } from '../ui/form.tsx';
import { NotRead } from '../ui/outside.tsx';
import { Page, Section } from '../ui/page.tsx';

const t = texts.platformSettings;
type Settings = OutputOf<'settings.get'>;
type Changes = InputOf<'settings.update'>;

export function PlatformSettings() {
  const reading = useRead('settings.get', undefined);
  const settings = reading.data;
  if (settings === undefined) return <NotRead reading={reading} />;
  return (
    <Page title={t.title} about={t.about}>
      <Section title={t.rules}>
        <Rules key={JSON.stringify(RULES.map((rule) => settings[rule]))} settings={settings} />
      </Section>
      <Section title={t.countries} about={t.countriesAbout}>
        <Countries settings={settings} />
      </Section>
      <Section title={t.minimumAges} about={t.minimumAgesAbout(listOf(settings.builtIn.minimumAges))}>
        <Ages field="minimumAges" ages={settings.minimumAges} />
      </Section>
      <Section
        title={t.adultAges}
        about={t.adultAgesAbout(settings.builtIn.adultAge, listOf(settings.builtIn.adultAges))}
      >
        <Ages field="adultAges" ages={settings.adultAges} />
      </Section>
    </Page>
  );
}

const RULES = [
  ...(['registration', 'refuseDisposableEmail', 'requireDateOfBirth', 'dns', 'tunnels'] as const),
  ...(['minimumAge', 'defaultCountryLevel'] as const),
];

function Rules({ settings }: { settings: Settings }) {
  const update = useAct('settings.update', { done: t.saved, sample: { registration: false } });
  return (
    <Form
      act={update}
      input={(values) =>
        changesOf(
          {
            registration: values.isOn('registration'),
            refuseDisposableEmail: values.isOn('refuseDisposableEmail'),
            requireDateOfBirth: values.isOn('requireDateOfBirth'),
            dns: values.isOn('dns'),
            tunnels: values.isOn('tunnels'),
            minimumAge: values.number('minimumAge'),
            defaultCountryLevel: COUNTRY_LEVELS.find((level) => level === values.text('defaultCountryLevel')),
          },
          settings,
        )
      }
      submit={texts.save}
    >
      <Check
        name="registration"
        label={t.registration}
        hint={t.registrationHint}
        defaultChecked={settings.registration}
      />
      <Check
        name="refuseDisposableEmail"
        label={t.disposable}
        defaultChecked={settings.refuseDisposableEmail}
      />
      <Check name="requireDateOfBirth" label={t.dateOfBirth} defaultChecked={settings.requireDateOfBirth} />
      <Check name="dns" label={t.dns} defaultChecked={settings.dns} />
      <Check name="tunnels" label={t.tunnels} defaultChecked={settings.tunnels} />
      <div className="columns">
        <Field
          name="minimumAge"
          label={t.minimumAge}
          type="number"
          min={0}
          required
          defaultValue={settings.minimumAge}
        />
        <Select
          name="defaultCountryLevel"
          label={t.otherCountries}
          options={COUNTRY_LEVELS}
          defaultValue={settings.defaultCountryLevel}
        />
      </div>
    </Form>
  );
}

const nameOf = (code: string): string => COUNTRIES.find(({ value }) => value === code)?.label ?? code;

/** Countries by their ages, such as `19 Canada; 20 Taiwan, Thailand`. */
function listOf(ages: Record<string, number>): string {
  const byAge = new Map<number, string[]>();
  for (const [code, age] of Object.entries(ages)) byAge.set(age, [...(byAge.get(age) ?? []), nameOf(code)]);
  const groups = [...byAge].sort(([one], [other]) => one - other);
  return groups.map(([age, names]) => `${age} ${names.sort().join(', ')}`).join('; ');
}

type OverridesProps<Value extends string | number> = {
  values: Record<string, Value>;
  show: (value: Value) => ReactNode;
  act: Act<Changes, Settings>;
  /** Takes the rule of a country away. */
  without: (code: string) => Changes;
  forget: (country: string) => string;
};

/** What holds in single countries, whatever holds in the others. */
function Overrides<Value extends string | number>(props: OverridesProps<Value>) {
  const { values, show, act, without, forget } = props;
  return (
    <ul className="overrides">
      {Object.entries(values).map(([code, value]) => (
        <li key={code}>
          {nameOf(code)} {show(value)}
          <Button
            kind="quiet"
            aria-label={forget(nameOf(code))}
            isBusy={act.isPending}
            onClick={() => act.mutate(without(code))}
          >
            {texts.remove}
          </Button>
        </li>
      ))}
    </ul>
  );
}

function Countries({ settings: { countryLevels } }: { settings: Settings }) {
  const update = useAct('settings.update', { done: t.saved, sample: { countryLevels: { AQ: 'closed' } } });
  return (
    <>
      <Overrides
        values={countryLevels}
        show={(level) => <Badge tone={level === 'open' ? 'good' : 'bad'}>{level}</Badge>}
        act={update}
        without={(code) => ({ countryLevels: { [code]: null } })}
        forget={t.forget}
      />
      <Form
        act={update}
        input={(values) => {
          const level = COUNTRY_LEVELS.find((one) => one === values.text('level')) ?? null;
          return { countryLevels: { [values.text('country')]: level } };
        }}
        submit={t.add}
        inline
      >
        <Select name="country" label={texts.signUp.country} options={COUNTRIES} />
        <Select name="level" label={t.level} options={COUNTRY_LEVELS} defaultValue="closed" />
      </Form>
    </>
  );
}

function Ages({ field, ages }: { field: 'minimumAges' | 'adultAges'; ages: Record<string, number> }) {
  const update = useAct('settings.update', { done: t.saved, sample: { [field]: { AQ: 18 } } });
  return (
    <>
      <Overrides
        values={ages}
        show={(age) => <Badge>{t.years(age)}</Badge>}
        act={update}
        without={(code) => ({ [field]: { [code]: null } })}
        forget={t.forgetAge[field]}
      />
      <Form
        act={update}
        input={(values) => ({ [field]: { [values.text('country')]: values.number('age') } })}
        submit={t.add}
        clears
        inline
      >
        <Select name="country" label={texts.signUp.country} options={COUNTRIES} />
        <Field name="age" label={t.age} type="number" min={0} max={150} required />
      </Form>
    </>
  );
}
