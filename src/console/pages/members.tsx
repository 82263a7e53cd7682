import { useState } from 'react';
import { isBuiltIn, outranks } from '../../kernel/permissions.ts';
import type { OutputOf } from '../lib/api.ts';
import { useAct, useList, useOffer } from '../lib/calls.tsx';
import { useCan, useOrganization, useOwnRoles } from '../lib/organization.tsx';
import { useMe } from '../lib/session.ts';
import { useSettled } from '../lib/settled.ts';
import { texts } from '../texts.ts';
import { Avatar, Badge, Titled, When } from '../ui/bits.tsx';
import { Confirm, Dialog, isTyped } from '../ui/dialog.tsx';
import { Field, Form } from '../ui/form.tsx';
import { InviteButton } from '../ui/invite.tsx';
import { List } from '../ui/list.tsx';
import { RowMenu } from '../ui/menu.tsx';
import { Page } from '../ui/page.tsx';
import { CurrentPassword } from '../ui/password.tsx';
import { RoleSelect } from '../ui/role-select.tsx';

const t = texts.members;
type Member = OutputOf<'organization.members'>['items'][number];
type Step = { kind: 'role' | 'remove' | 'transfer'; member: Member };

export function Members() {
  const { id: organizationId, role: ownRole } = useOrganization();
  const [me, can] = [useMe(), useCan()];
  const [search, setSearch] = useState('');
  const wanted = useSettled(search.trim());
  const [step, setStep] = useState<Step>();
  const close = () => setStep(undefined);
  useOffer('organization.updateMemberRole', { memberId: '…', role: 'admin' });
  useOffer('organization.removeMember', { memberId: '…' });
  useOffer('organization.transferOwnership', { organizationId, memberId: '…', currentPassword: '…' });
  const reading = useList('organization.members', {
    organizationId,
    ...(wanted === '' ? {} : { search: wanted }),
  });
  const mayChange = ({ role, userId }: Member) =>
    can('member:update') && userId !== me.id && outranks(ownRole, role);
  return (
    <Page title={t.title} about={t.about} actions={can('invitation:create') && <InviteButton />}>
      <search className="filters">
        <Field
          name="search"
          label={t.search}
          type="search"
          value={search}
          onChange={({ target }) => setSearch(target.value)}
        />
      </search>
      <List
        label={t.title}
        reading={reading}
        empty={t.empty}
        columns={[
          {
            label: texts.name,
            kind: 'main',
            cell: ({ user }) => (
              <span className="with-avatar">
                <Avatar url={user.avatarUrl} name={user.displayName ?? user.name} />
                <Titled title={user.displayName ?? user.name} below={user.email} />
              </span>
            ),
          },
          {
            label: t.role,
            cell: ({ role }) => <Badge tone={isBuiltIn(role) ? 'plain' : 'good'}>{role}</Badge>,
          },
          { label: t.joined, cell: ({ createdAt }) => <When at={createdAt} /> },
          {
            label: texts.actions,
            kind: 'actions',
            cell: (member) => (
              <RowMenu
                label={texts.actionsFor(member.user.email)}
                items={[
                  mayChange(member) && {
                    label: t.changeRole,
                    onSelect: () => setStep({ kind: 'role', member }),
                  },
                  ownRole === 'owner' &&
                    member.userId !== me.id && {
                      label: t.transfer,
                      isDanger: true,
                      onSelect: () => setStep({ kind: 'transfer', member }),
                    },
                  mayChange(member) && {
                    label: t.remove,
                    isDanger: true,
                    onSelect: () => setStep({ kind: 'remove', member }),
                  },
                ]}
              />
            ),
          },
        ]}
      />
      {step?.kind === 'role' && <ChangeRole member={step.member} onClose={close} />}
      {step?.kind === 'remove' && <Remove member={step.member} onClose={close} />}
      {step?.kind === 'transfer' && <Transfer member={step.member} onClose={close} />}
    </Page>
  );
}

type StepProps = { member: Member; onClose: () => void };

function ChangeRole({ member: { id: memberId, role, user }, onClose }: StepProps) {
  const own = useOwnRoles();
  const update = useAct('organization.updateMemberRole', {
    done: t.roleChanged(user.email),
  });
  return (
    <Dialog title={t.roleOf(user.email)} onClose={onClose}>
      <Form
        act={update}
        input={(values) => ({ memberId, role: values.text('role') })}
        submit={t.changeRole}
        canSubmit={own.areKnown}
        after={onClose}
      >
        <RoleSelect own={own} held={role} name="role" label={t.role} hint={t.roleHint} />
      </Form>
    </Dialog>
  );
}

function Remove({ member: { id: memberId, user }, onClose }: StepProps) {
  const remove = useAct('organization.removeMember', { done: t.removed(user.email) });
  return (
    <Confirm
      title={t.removeTitle(user.email)}
      name={user.email}
      submit={t.remove}
      act={remove}
      input={{ memberId }}
      onClose={onClose}
    >
      <p>{t.removeAbout}</p>
    </Confirm>
  );
}

function Transfer({ member: { id: memberId, user }, onClose }: StepProps) {
  const { id: organizationId, name } = useOrganization();
  const transfer = useAct('organization.transferOwnership', {
    done: t.transferred(user.email),
  });
  const [typed, setTyped] = useState('');
  return (
    <Dialog title={t.transferTitle(user.email)} onClose={onClose}>
      <p>{t.transferAbout}</p>
      <Form
        act={transfer}
        input={(values) => ({ organizationId, memberId, currentPassword: values.text('currentPassword') })}
        submit={t.transfer}
        kind="danger"
        canSubmit={isTyped(typed, name)}
        after={onClose}
      >
        <Field
          name="confirmation"
          label={texts.typeToConfirm(name)}
          value={typed}
          onChange={({ target }) => setTyped(target.value)}
          autoComplete="off"
        />
        <CurrentPassword />
      </Form>
    </Dialog>
  );
}
