import { Link, useNavigate } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { useState } from 'react';
import { NAME_MAX_LENGTH, ORGANIZATION_DESCRIPTION_MAX_LENGTH } from '../../kernel/lengths.ts';
import { TIERS } from '../../kernel/tiers.ts';
import { useAct, useList, useOffer, useRead } from '../lib/calls.tsx';
import { useSettled } from '../lib/settled.ts';
import { texts } from '../texts.ts';
import { Avatar, Badge, Titled, When } from '../ui/bits.tsx';
import { Button } from '../ui/button.tsx';
import { DialogButton } from '../ui/dialog.tsx';
import { Field, Form, TextArea } from '../ui/form.tsx';
import { List } from '../ui/list.tsx';
import { Problem } from '../ui/notice.tsx';
import { Page, Section } from '../ui/page.tsx';

const t = texts.organizations;

/** All organizations of the caller, and the invitations that wait for an answer. */
export function Organizations() {
  const reading = useRead('organization.all', {});
  useOffer('organization.create', { name: 'Acme', handle: 'acme' });
  return (
    <Page
      title={t.title}
      about={t.about}
      actions={
        <DialogButton label={t.create} kind="primary" icon={<Plus aria-hidden />}>
          {(close) => <CreateForm onDone={close} />}
        </DialogButton>
      }
    >
      <List
        label={t.title}
        reading={{ ...reading, rows: reading.data }}
        empty={t.empty}
        columns={[
          {
            label: t.name,
            kind: 'main',
            cell: ({ slug, name, handle, avatarUrl }) => (
              <Link to="/o/$slug" params={{ slug }} className="with-avatar">
                <Avatar url={avatarUrl} name={name} />
                <Titled title={name} below={handle} />
              </Link>
            ),
          },
          { label: t.role, cell: ({ role }) => <Badge>{role}</Badge> },
          { label: t.tier, cell: ({ portalTier }) => TIERS[portalTier].name },
          { label: texts.created, cell: ({ createdAt }) => <When at={createdAt} /> },
        ]}
      />
      <Waiting />
    </Page>
  );
}

/** Made under a handle of one's choice, whose availability is asked for while it is typed. */
function CreateForm({ onDone }: { onDone: () => void }) {
  const navigate = useNavigate();
  const create = useAct('organization.create', {
    done: ({ name }) => t.created(name),
  });
  const [typed, setTyped] = useState('');
  const handle = useSettled(typed.trim());
  const check = useRead(
    'organization.checkHandle',
    { handle },
    { enabled: handle !== '', staleTime: 10_000 },
  );
  const isAvailable = check.data?.available === true && handle === typed.trim();
  return (
    <Form
      act={create}
      input={(values) => ({
        name: values.text('name'),
        handle: values.given('handle'),
        description: values.given('description'),
      })}
      submit={t.create}
      after={({ slug }) => {
        onDone();
        void navigate({ to: '/o/$slug', params: { slug } });
      }}
    >
      <Field name="name" label={t.name} required maxLength={NAME_MAX_LENGTH} />
      <Field
        name="handle"
        label={t.handle}
        hint={isAvailable ? <Badge tone="good">{t.available}</Badge> : t.handleHint}
        problem={check.data?.available === false ? (check.data.reason ?? t.taken) : check.error?.message}
        value={typed}
        onChange={({ target }) => setTyped(target.value)}
        autoComplete="off"
        spellCheck={false}
      />
      <TextArea
        name="description"
        label={texts.description}
        maxLength={ORGANIZATION_DESCRIPTION_MAX_LENGTH}
        rows={2}
      />
    </Form>
  );
}

/** Invitations to the address of the caller. */
function Waiting() {
  const reading = useList('invitation.mine', {});
  const accept = useAct('invitation.accept', { done: t.joined, sample: { invitationId: '…' } });
  const reject = useAct('invitation.reject', { done: t.rejected, sample: { invitationId: '…' } });
  const problem = accept.error ?? reject.error;
  if (reading.rows?.length === 0) return null;
  return (
    <Section title={t.waiting}>
      <List
        label={t.waiting}
        reading={reading}
        empty=""
        columns={[
          {
            label: t.name,
            kind: 'main',
            cell: ({ organizationName, inviterName }) => (
              <Titled title={organizationName} below={t.invitedBy(inviterName)} />
            ),
          },
          { label: t.role, cell: ({ role }) => <Badge>{role}</Badge> },
          { label: texts.expires, cell: ({ expiresAt }) => <When at={expiresAt} /> },
          {
            label: texts.actions,
            kind: 'actions',
            cell: ({ id: invitationId }) => (
              <span className="buttons">
                <Button isBusy={reject.isPending} onClick={() => reject.mutate({ invitationId })}>
                  {texts.invitation.reject}
                </Button>
                <Button
                  kind="primary"
                  isBusy={accept.isPending}
                  onClick={() => accept.mutate({ invitationId })}
                >
                  {texts.invitation.accept}
                </Button>
              </span>
            ),
          },
        ]}
      />
      {problem !== null && <Problem>{problem.message}</Problem>}
    </Section>
  );
}
