import { COUNTRY_LEVELS } from '../../kernel/installation.ts';
import type { OutputOf } from '../lib/api.ts';
import { useAct, useRead } from '../lib/calls.tsx';
import { COUNTRIES } from '../lib/countries.ts';
import { texts } from '../texts.ts';
import { Badge } from '../ui/bits.tsx';
import { Button } from '../ui/button.tsx';
import { Check, Field, Form, Select } from '../ui/form.tsx';
import { Skeleton } from '../ui/list.tsx';
import { Problem, Unreadable } from '../ui/notice.tsx';
import { Page, Section } from '../ui/page.tsx';

const t = texts.platformSettings;
type Settings = OutputOf<'settings.get'>;

export function PlatformSettings() {
  const reading = useRead('settings.get', undefined);
  const settings = reading.data;
  if (settings === undefined) return reading.error === null ? <Skeleton /> : <Unreadable reading={reading} />;
  return (
    <Page title={t.title} about={t.about}>
      <Section title={t.rules}>
        <Rules key={JSON.stringify(settings)} settings={settings} />
      </Section>
      <Section title={t.countries} about={t.countriesAbout}>
        <Countries settings={settings} />
      </Section>
    </Page>
  );
}

function Rules({ settings }: { settings: Settings }) {
  const update = useAct('settings.update', { done: t.saved, sample: { registration: false } });
  return (
    <Form
      act={update}
      input={(values) => ({
        registration: values.isOn('registration'),
        refuseDisposableEmail: values.isOn('refuseDisposableEmail'),
        requireDateOfBirth: values.isOn('requireDateOfBirth'),
        dns: values.isOn('dns'),
        tunnels: values.isOn('tunnels'),
        minimumAge: values.number('minimumAge'),
        defaultCountryLevel: COUNTRY_LEVELS.find((level) => level === values.text('defaultCountryLevel')),
      })}
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

/** Countries that are open or closed whatever the others are. */
function Countries({ settings: { countryLevels } }: { settings: Settings }) {
  const update = useAct('settings.update', { done: t.saved, sample: { countryLevels: { AQ: 'closed' } } });
  const nameOf = (code: string) => COUNTRIES.find(({ value }) => value === code)?.label ?? code;
  return (
    <>
      <ul className="overrides">
        {Object.entries(countryLevels).map(([code, level]) => (
          <li key={code}>
            {nameOf(code)} <Badge tone={level === 'open' ? 'good' : 'bad'}>{level}</Badge>
            <Button
              kind="quiet"
              aria-label={t.forget(nameOf(code))}
              isBusy={update.isPending}
              onClick={() => update.mutate({ countryLevels: { [code]: null } })}
            >
              {texts.remove}
            </Button>
          </li>
        ))}
      </ul>
      {update.error !== null && <Problem>{update.error.message}</Problem>}
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
