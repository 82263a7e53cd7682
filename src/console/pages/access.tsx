import { useState } from 'react';
import { isPermission, PERMISSIONS, type Permission } from '../../kernel/permissions.ts';
import { useRead } from '../lib/calls.tsx';
import { useCan, useOrganization } from '../lib/organization.tsx';
import { useMe } from '../lib/session.ts';
import { texts } from '../texts.ts';
import { Badge, Facts } from '../ui/bits.tsx';
import { Select } from '../ui/form.tsx';
import { Skeleton } from '../ui/list.tsx';
import { Unreadable } from '../ui/notice.tsx';
import { Page, Section } from '../ui/page.tsx';
import { PermissionGrid } from '../ui/permission-grid.tsx';

const t = texts.access;

/** Why somebody can, or cannot, do something. */
export function Access() {
  const { id: organizationId } = useOrganization();
  const [me, can] = [useMe(), useCan()];
  const [userId, setUserId] = useState(me.id);
  const [permission, setPermission] = useState<Permission>('dnsRecord:create');
  const members = useRead('organization.members', { organizationId, limit: 500 });
  const people = members.data?.items.map(({ user }) => ({
    value: user.id,
    label: `${user.name} · ${user.email}`,
  }));
  return (
    <Page title={t.title} about={t.about}>
      <div className="filters">
        <Select
          name="userId"
          label={t.person}
          options={people ?? [{ value: me.id, label: me.email }]}
          value={userId}
          onChange={({ target }) => setUserId(target.value)}
        />
        <Select
          name="permission"
          label={t.permission}
          options={PERMISSIONS}
          value={permission}
          onChange={({ target: { value } }) => isPermission(value) && setPermission(value)}
        />
      </div>
      <Explained userId={userId} permission={permission} />
      {can('customRole:read') && <Everything userId={userId} />}
    </Page>
  );
}

function Explained({ userId, permission }: { userId: string; permission: Permission }) {
  const { id: organizationId } = useOrganization();
  const explained = useRead('permission.explain', { organizationId, userId, permission });
  if (explained.data === undefined) {
    return explained.error === null ? <Skeleton rows={2} /> : <Unreadable reading={explained} />;
  }
  const { allowed, reason, role, decidedBy } = explained.data;
  return (
    <Section title={t.answer}>
      <div className={allowed ? 'verdict yes' : 'verdict no'} role="status">
        <Badge tone={allowed ? 'good' : 'bad'}>{allowed ? texts.yes : texts.no}</Badge>
        <strong>{reason}</strong>
      </div>
      <Facts
        facts={[
          [texts.members.role, role],
          [t.decidedBy, decidedBy],
        ]}
      />
    </Section>
  );
}

function Everything({ userId }: { userId: string }) {
  const { id: organizationId } = useOrganization();
  const simulated = useRead('permission.simulate', { organizationId, userId });
  if (simulated.data === undefined) return null;
  const held = PERMISSIONS.filter((permission) => {
    const [resource = '', action = ''] = permission.split(':');
    const flags: Record<string, Record<string, boolean>> = simulated.data.permissions;
    return flags[resource]?.[action] === true;
  });
  return (
    <Section title={t.everything(simulated.data.role)}>
      <PermissionGrid granted={new Set(held)} />
    </Section>
  );
}
