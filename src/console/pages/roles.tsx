import { Plus } from 'lucide-react';
import { useState } from 'react';
import {
  byResource,
  isGiveable,
  PERMISSIONS,
  type Permission,
  ROLE_NAMES,
  roleOf,
} from '../../kernel/permissions.ts';
import type { OutputOf } from '../lib/api.ts';
import { useAct, useOffer, useRead } from '../lib/calls.tsx';
import { useCan, useOrganization } from '../lib/organization.tsx';
import { texts } from '../texts.ts';
import { Badge, When } from '../ui/bits.tsx';
import { Confirm, Dialog, DialogButton } from '../ui/dialog.tsx';
import { Field, Form } from '../ui/form.tsx';
import { List } from '../ui/list.tsx';
import { RowMenu } from '../ui/menu.tsx';
import { Page, Section } from '../ui/page.tsx';
import { PermissionGrid } from '../ui/permission-grid.tsx';

const t = texts.roles;
type CustomRole = OutputOf<'customRole.all'>[number];

const permissionsOf = (role: CustomRole): Permission[] =>
  Object.entries(role.permissions)
    .flatMap(([resource, actions]) => actions.map((action) => `${resource}:${action}`))
    .filter(isGiveable);

/** The roles that everybody has, and those that the organization has made. */
export function Roles() {
  const { id: organizationId } = useOrganization();
  const can = useCan();
  const reading = useRead('customRole.all', { organizationId });
  const example = { organizationId, roleName: 'dns-editor', permissions: { dnsRecord: ['read', 'create'] } };
  useOffer('customRole.create', example);
  useOffer('customRole.update', example);
  const [editing, setEditing] = useState<CustomRole>();
  const [ending, setEnding] = useState<CustomRole>();
  const remove = useAct('customRole.remove', {
    done: t.removed,
    sample: { organizationId, roleName: 'dns-editor' },
  });
  return (
    <Page
      title={t.title}
      about={t.about}
      actions={
        can('customRole:create') && (
          <DialogButton label={t.create} kind="primary" icon={<Plus aria-hidden />} wide>
            {(close) => <CreateForm onDone={close} />}
          </DialogButton>
        )
      }
    >
      <List
        label={t.title}
        reading={{ ...reading, rows: reading.data }}
        empty={t.empty}
        columns={[
          { label: t.name, kind: 'main', cell: ({ role }) => role },
          { label: t.permissions, cell: (role) => t.count(permissionsOf(role).length) },
          { label: texts.nav.members, kind: 'number', cell: ({ memberCount }) => memberCount },
          { label: texts.changed, cell: ({ updatedAt }) => <When at={updatedAt} /> },
          {
            label: texts.actions,
            kind: 'actions',
            cell: (role) => (
              <RowMenu
                label={texts.actionsFor(role.role)}
                items={[
                  can('customRole:update') && { label: texts.change, onSelect: () => setEditing(role) },
                  can('customRole:delete') && {
                    label: texts.remove,
                    isDanger: true,
                    onSelect: () => setEnding(role),
                  },
                ]}
              />
            ),
          },
        ]}
      />
      <Section title={t.builtIn} about={t.builtInAbout}>
        <ul className="built-in">
          {ROLE_NAMES.map((name) => (
            <li key={name}>
              <Badge>{name}</Badge>
              <span>{texts.roles.described[name]}</span>
              <DialogButton label={t.see} title={name} kind="quiet" wide>
                {() => <PermissionGrid granted={roleOf(name).permissions} />}
              </DialogButton>
            </li>
          ))}
        </ul>
      </Section>
      {editing !== undefined && <EditDialog role={editing} onClose={() => setEditing(undefined)} />}
      {ending !== undefined && (
        <Confirm
          title={t.removeTitle(ending.role)}
          name={ending.role}
          submit={texts.remove}
          act={remove}
          input={{ organizationId, roleName: ending.role }}
          onClose={() => setEnding(undefined)}
        >
          <p>{t.removeAbout}</p>
        </Confirm>
      )}
    </Page>
  );
}

const chosen = (texts: string[]) =>
  byResource(PERMISSIONS.filter((permission) => texts.includes(permission)));

function CreateForm({ onDone }: { onDone: () => void }) {
  const { id: organizationId } = useOrganization();
  const create = useAct('customRole.create', {
    done: ({ role }) => t.created(role),
  });
  return (
    <Form
      act={create}
      input={(values) => ({
        organizationId,
        roleName: values.text('roleName'),
        permissions: chosen(values.all('permissions')),
      })}
      submit={t.create}
      after={onDone}
    >
      <Field name="roleName" label={t.name} required maxLength={50} />
      <PermissionGrid name="permissions" />
    </Form>
  );
}

function EditDialog({ role, onClose }: { role: CustomRole; onClose: () => void }) {
  const { id: organizationId } = useOrganization();
  const update = useAct('customRole.update', { done: t.changed(role.role) });
  return (
    <Dialog title={role.role} wide onClose={onClose}>
      <Form
        act={update}
        input={(values) => ({
          organizationId,
          roleName: role.role,
          newRoleName: values.text('newRoleName'),
          permissions: chosen(values.all('permissions')),
        })}
        submit={texts.save}
        after={onClose}
      >
        <Field name="newRoleName" label={t.name} required maxLength={50} defaultValue={role.role} />
        <PermissionGrid name="permissions" granted={new Set(permissionsOf(role))} />
      </Form>
    </Dialog>
  );
}
