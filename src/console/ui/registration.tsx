import { useState } from 'react';
import { requiresDateOfBirth } from '../../kernel/installation.ts';
import { type Act, useRead } from '../lib/calls.tsx';
import { COUNTRIES } from '../lib/countries.ts';
import { texts } from '../texts.ts';
import { Field, Form, Select } from './form.tsx';
import { Notice } from './notice.tsx';
import { NewPassword } from './password.tsx';

const t = texts.signUp;

type RegistrationProps = {
  act: Act<object, unknown>;
  submit: string;
  after: () => void;
  /** Of an invitation: the address that it is for, and the token that joins. */
  invited?: { email: string; invitationToken: string };
};

/** Asks for what the installation's rules want to know of a new account. */
export function RegistrationForm({ act, submit, after, invited }: RegistrationProps) {
  const { data: settings } = useRead('settings.get', undefined);
  const [country, setCountry] = useState('');
  if (settings?.registration === false) return <Notice>{t.closed}</Notice>;
  return (
    <Form
      act={act}
      input={(values) => ({
        email: values.text('email'),
        password: values.text('password'),
        name: `${values.text('firstName')} ${values.text('lastName')}`.trim(),
        firstName: values.text('firstName'),
        lastName: values.text('lastName'),
        dateOfBirth: values.given('dateOfBirth'),
        billingCountry: values.given('billingCountry'),
        invitationToken: invited?.invitationToken,
      })}
      submit={submit}
      after={after}
    >
      <div className="columns">
        <Field name="firstName" label={t.firstName} autoComplete="given-name" maxLength={64} required />
        <Field name="lastName" label={t.lastName} autoComplete="family-name" maxLength={64} />
      </div>
      <Field
        name="email"
        label={texts.email}
        type="email"
        autoComplete="username"
        required
        defaultValue={invited?.email}
        readOnly={invited !== undefined}
      />
      <NewPassword />
      {settings?.countryRequired && (
        <Select
          name="billingCountry"
          label={t.country}
          options={[{ value: '', label: t.choose }, ...COUNTRIES]}
          value={country}
          onChange={({ target }) => setCountry(target.value)}
        />
      )}
      {settings !== undefined && requiresDateOfBirth(settings, country) && (
        <Field name="dateOfBirth" label={t.dateOfBirth} type="date" required />
      )}
    </Form>
  );
}
