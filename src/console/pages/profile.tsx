import { useState } from 'react';
import { THEMES } from '../../kernel/vocabulary.ts';
import { query } from '../lib/api.ts';
import { useAct, useOffer, useSending } from '../lib/calls.tsx';
import { COUNTRIES } from '../lib/countries.ts';
import { useMe } from '../lib/session.ts';
import { useShown } from '../lib/shown.tsx';
import { applyTheme } from '../lib/theme.ts';
import { texts } from '../texts.ts';
import { Button } from '../ui/button.tsx';
import { DialogButton, isTyped } from '../ui/dialog.tsx';
import { Download } from '../ui/download.tsx';
import { Check, changesOf, Field, Form, Select } from '../ui/form.tsx';
import { Notice, Problem } from '../ui/notice.tsx';
import { Page, Section } from '../ui/page.tsx';
import { CurrentPassword } from '../ui/password.tsx';
import { Picture } from '../ui/picture.tsx';

const t = texts.profile;

export function Profile() {
  const me = useMe();
  const removePicture = useAct('user.removeAvatar', { done: texts.picture.removed });
  return (
    <Page title={t.title} about={me.email}>
      <Section title={texts.picture.title}>
        <Picture
          name={me.name}
          url={me.avatarUrl}
          path="user.uploadAvatar"
          remove={removePicture}
          input={undefined}
        />
      </Section>
      <Section title={t.about}>
        <Person key={JSON.stringify(PERSON.map((field) => me[field]))} />
      </Section>
      <Section title={t.appearance}>
        <Appearance />
      </Section>
      <Section title={t.address} about={t.addressAbout}>
        {me.pendingEmail !== null && <Notice>{t.pending(me.pendingEmail)}</Notice>}
        <Address key={me.email} />
      </Section>
      <Section title={t.data} about={t.dataAbout}>
        <Export />
      </Section>
      <Section title={texts.danger} about={t.removeAbout}>
        <Remove />
      </Section>
    </Page>
  );
}

const PERSON = [
  ...(['firstName', 'lastName', 'displayName'] as const),
  ...(['billingLine1', 'billingZip', 'billingCity', 'billingCountry'] as const),
];

function Person() {
  const me = useMe();
  const update = useAct('user.update', { done: t.saved });
  return (
    <Form
      act={update}
      input={(values) =>
        changesOf(
          {
            firstName: values.text('firstName'),
            lastName: values.text('lastName'),
            displayName: values.given('displayName') ?? null,
            billingLine1: values.given('billingLine1') ?? null,
            billingZip: values.given('billingZip') ?? null,
            billingCity: values.given('billingCity') ?? null,
            billingCountry: values.given('billingCountry') ?? null,
          },
          me,
        )
      }
      submit={texts.save}
    >
      <div className="columns">
        <Field name="firstName" label={texts.signUp.firstName} defaultValue={me.firstName} maxLength={64} />
        <Field name="lastName" label={texts.signUp.lastName} defaultValue={me.lastName} maxLength={64} />
      </div>
      <Field name="displayName" label={t.displayName} defaultValue={me.displayName ?? ''} maxLength={64} />
      <Field name="billingLine1" label={t.street} defaultValue={me.billingLine1 ?? ''} maxLength={128} />
      <div className="columns">
        <Field name="billingZip" label={t.zip} defaultValue={me.billingZip ?? ''} maxLength={32} />
        <Field name="billingCity" label={t.city} defaultValue={me.billingCity ?? ''} maxLength={128} />
        <Select
          name="billingCountry"
          label={texts.signUp.country}
          defaultValue={me.billingCountry ?? ''}
          options={[{ value: '', label: '–' }, ...COUNTRIES]}
        />
      </div>
    </Form>
  );
}

function Appearance() {
  const { settings } = useMe();
  const update = useAct('user.update', { done: t.saved, sample: { settings: { theme: 'dark' } } });
  return (
    <Form
      act={update}
      input={(values) => ({
        settings: { theme: THEMES.find((theme) => theme === values.text('theme')) ?? null },
      })}
      submit={texts.save}
      after={({ settings: { theme = 'system' } }) => applyTheme(theme)}
      inline
    >
      <Select
        name="theme"
        label={t.theme}
        defaultValue={settings.theme ?? 'system'}
        options={THEMES.map((theme) => ({ value: theme, label: t.themes[theme] }))}
      />
    </Form>
  );
}

function Address() {
  const me = useMe();
  const update = useAct('user.update', { done: t.linkSent });
  return (
    <Form
      act={update}
      input={(values) => ({ email: values.text('email'), currentPassword: values.text('currentPassword') })}
      submit={t.changeAddress}
      clears
    >
      <div className="columns">
        <Field name="email" label={texts.email} type="email" required defaultValue={me.email} />
        <CurrentPassword />
      </div>
    </Form>
  );
}

function Export() {
  const read = useSending(() => query('user.export', undefined));
  useShown({ method: 'GET', path: 'user.export', input: undefined });
  return (
    <>
      {read.data === undefined ? (
        <Button isBusy={read.isPending} onClick={() => read.mutate(undefined)}>
          {t.collect}
        </Button>
      ) : (
        <Download name="account.json" text={JSON.stringify(read.data, null, 2)} />
      )}
      {read.error !== null && <Problem>{read.error.message}</Problem>}
    </>
  );
}

function Remove() {
  useOffer('user.remove', { userId: 'me', currentPassword: '…' });
  return (
    <DialogButton label={t.remove} kind="danger">
      {() => <RemoveForm />}
    </DialogButton>
  );
}

function RemoveForm() {
  const me = useMe();
  const remove = useAct('user.remove', { endsSession: true });
  const [typed, setTyped] = useState('');
  return (
    <Form
      act={remove}
      input={(values) => ({
        userId: 'me' as const,
        currentPassword: values.text('currentPassword'),
        deleteOrganizations: values.isOn('deleteOrganizations'),
      })}
      submit={t.remove}
      kind="danger"
      canSubmit={isTyped(typed, me.email)}
    >
      <Field
        name="confirmation"
        label={texts.typeToConfirm(me.email)}
        value={typed}
        onChange={({ target }) => setTyped(target.value)}
        autoComplete="off"
      />
      <CurrentPassword />
      <Check name="deleteOrganizations" label={t.deleteOrganizations} />
    </Form>
  );
}
