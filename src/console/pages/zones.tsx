import { Link } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { useAct, useList, useOffer } from '../lib/calls.tsx';
import { useCan, useOrganization } from '../lib/organization.tsx';
import { texts } from '../texts.ts';
import { Badge, When } from '../ui/bits.tsx';
import { DialogButton } from '../ui/dialog.tsx';
import { Field, Form } from '../ui/form.tsx';
import { List } from '../ui/list.tsx';
import { Page } from '../ui/page.tsx';
import { ZoneState } from '../ui/states.tsx';

const t = texts.zones;

export function Zones() {
  const { id: organizationId, slug } = useOrganization();
  const can = useCan();
  const reading = useList('dnsZone.all', { organizationId });
  useOffer('dnsZone.create', { organizationId, name: 'example.com' });
  return (
    <Page
      title={t.title}
      about={t.about}
      actions={
        can('dnsZone:create') && (
          <DialogButton label={t.create} kind="primary" icon={<Plus aria-hidden />}>
            {(close) => <CreateForm onDone={close} />}
          </DialogButton>
        )
      }
    >
      <List
        label={t.title}
        reading={reading}
        empty={t.empty}
        columns={[
          {
            label: t.zone,
            kind: 'main',
            cell: ({ id: zoneId, name }) => (
              <Link to="/o/$slug/dns/$zoneId" params={{ slug, zoneId }}>
                {name}
              </Link>
            ),
          },
          { label: texts.state, cell: (zone) => <ZoneState zone={zone} /> },
          {
            label: 'DNSSEC',
            cell: ({ dnssec }) => (
              <Badge tone={dnssec.enabled ? 'good' : 'plain'}>{dnssec.enabled ? texts.on : texts.off}</Badge>
            ),
          },
          { label: texts.changed, cell: ({ updatedAt }) => <When at={updatedAt} /> },
        ]}
      />
    </Page>
  );
}

function CreateForm({ onDone }: { onDone: () => void }) {
  const { id: organizationId } = useOrganization();
  const create = useAct('dnsZone.create', {
    done: ({ name }) => t.created(name),
  });
  return (
    <Form
      act={create}
      input={(values) => ({ organizationId, name: values.text('name') })}
      submit={t.create}
      after={onDone}
    >
      <Field name="name" label={t.zone} hint={t.createHint} required autoComplete="off" />
    </Form>
  );
}
