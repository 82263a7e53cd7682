import { Plus } from 'lucide-react';
import { useState } from 'react';
import { canOnPlatform, outranks, outranksOnPlatform, PLATFORM_ROLES } from '../../kernel/permissions.ts';
import type { OutputOf } from '../lib/api.ts';
import { useAct, useOffer, useRead } from '../lib/calls.tsx';
import { useMe } from '../lib/session.ts';
import { texts } from '../texts.ts';
import { Avatar, Badge, Facts, Titled, When } from '../ui/bits.tsx';
import { Button } from '../ui/button.tsx';
import { ConfirmButton, DialogButton } from '../ui/dialog.tsx';
import { Field, Form, Select } from '../ui/form.tsx';
import { Skeleton } from '../ui/list.tsx';
import { Problem, Unreadable } from '../ui/notice.tsx';
import { Page, Section } from '../ui/page.tsx';
import { NewPassword } from '../ui/password.tsx';

const t = texts.users;
type User = OutputOf<'user.one'>;

/** Any account, found by its address, or by its id as the audit log and the members of organizations show it. */
export function Users() {
  const me = useMe();
  const [name, setName] = useState('');
  const account = { email: 'ada@example.org', password: '…', role: 'member' };
  useOffer('user.createUserWithCredentials', account);
  return (
    <Page
      title={t.title}
      about={t.about}
      actions={
        canOnPlatform(me.role, 'user.create') && (
          <DialogButton label={t.create} kind="primary" icon={<Plus aria-hidden />}>
            {(close) => <CreateForm onDone={close} />}
          </DialogButton>
        )
      }
    >
      <form
        className="filters"
        aria-label={t.find}
        onSubmit={(event) => {
          event.preventDefault();
          setName(String(new FormData(event.currentTarget).get('account')).trim());
        }}
      >
        <Field name="account" label={t.name} required defaultValue={me.email} spellCheck={false} />
        <Button type="submit">{t.find}</Button>
      </form>
      {name !== '' && <Found key={name} name={name} />}
    </Page>
  );
}

/** With a password of the operator's choice, for who cannot be invited by mail. */
function CreateForm({ onDone }: { onDone: () => void }) {
  const { data: organizations = [] } = useRead('organization.all', { activeOnly: true });
  const create = useAct('user.createUserWithCredentials', { done: ({ email }) => t.created(email) });
  const administered = organizations.filter(({ role }) => outranks(role, 'member'));
  return (
    <Form
      act={create}
      input={(values) => ({
        organizationId: values.text('organizationId'),
        email: values.text('email'),
        password: values.text('password'),
        role: values.text('role'),
      })}
      submit={t.create}
      after={onDone}
    >
      <Select
        name="organizationId"
        label={t.organization}
        options={administered.map(({ id, name }) => ({ value: id, label: name }))}
      />
      <Field name="email" label={texts.email} type="email" required autoComplete="off" />
      <NewPassword />
      <Select name="role" label={texts.members.role} options={['member', 'admin']} />
    </Form>
  );
}

function Found({ name }: { name: string }) {
  const reading = useRead('user.one', { userId: name });
  const user = reading.data;
  const { data: organizations } = useRead(
    'user.checkUserOrganizations',
    { userId: user?.id ?? '' },
    { enabled: user !== undefined },
  );
  if (user === undefined) return reading.error === null ? <Skeleton /> : <Unreadable reading={reading} />;
  return (
    <Section title={t.account}>
      <span className="with-avatar">
        <Avatar url={user.avatarUrl} name={user.name} />
        <Titled title={user.name} below={user.email} />
        {user.suspended && <Badge tone="bad">{t.suspended}</Badge>}
      </span>
      <Facts
        facts={[
          [t.role, user.role],
          [t.verified, user.emailVerified ? texts.yes : texts.no],
          [texts.organizations.title, organizations ?? '–'],
          [texts.created, <When key="created" at={user.createdAt} />],
        ]}
      />
      <Measures user={user} />
    </Section>
  );
}

/** What the caller may do with an account of a lower platform role. */
function Measures({ user: { id: userId, email, role, suspended } }: { user: User }) {
  const me = useMe();
  const may = (right: Parameters<typeof canOnPlatform>[1]) =>
    canOnPlatform(me.role, right) && outranksOnPlatform(me.role, role);
  const suspend = useAct('user.suspend', {
    done: t.nowSuspended(email),
    sample: { userId, reason: 'Unpaid' },
  });
  const unsuspend = useAct('user.unsuspend', { done: t.lifted(email), sample: { userId } });
  const setRole = useAct('user.setPlatformRole', {
    done: t.roleSet(email),
    sample: { userId, role: 'staff' },
  });
  const remove = useAct('user.remove', { done: t.removed(email), sample: { userId } });
  return (
    <>
      {may('user.setPlatformRole') && (
        <Form
          act={setRole}
          input={(values) => ({
            userId,
            role: PLATFORM_ROLES.find((one) => one === values.text('role')) ?? 'user',
          })}
          submit={t.setRole}
          inline
        >
          <Select
            name="role"
            label={t.role}
            defaultValue={role}
            options={PLATFORM_ROLES.filter((one) => outranksOnPlatform(me.role, one))}
          />
        </Form>
      )}
      {may('user.suspend') &&
        (suspended ? (
          <Button isBusy={unsuspend.isPending} onClick={() => unsuspend.mutate({ userId })}>
            {t.lift}
          </Button>
        ) : (
          <Form
            act={suspend}
            input={(values) => ({ userId, reason: values.given('reason') ?? null })}
            submit={t.suspend}
            kind="danger"
            inline
          >
            <Field name="reason" label={t.reason} maxLength={500} />
          </Form>
        ))}
      {unsuspend.error !== null && <Problem>{unsuspend.error.message}</Problem>}
      {may('user.delete') && (
        <ConfirmButton
          label={t.remove}
          title={t.removeTitle(email)}
          name={email}
          submit={t.remove}
          act={remove}
          input={{ userId }}
        >
          <p>{t.removeAbout}</p>
        </ConfirmButton>
      )}
    </>
  );
}
