import { Link } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { useOffer, useRead } from '../lib/calls.tsx';
import { useCan, useOrganization } from '../lib/organization.tsx';
import { texts } from '../texts.ts';
import { Titled, When } from '../ui/bits.tsx';
import { DialogButton } from '../ui/dialog.tsx';
import { List } from '../ui/list.tsx';
import { Page } from '../ui/page.tsx';
import { CreateWebhook, WebhookState } from '../ui/webhook.tsx';

const t = texts.webhooks;

export function Webhooks() {
  const { id: organizationId, slug } = useOrganization();
  const can = useCan();
  const reading = useRead('webhook.all', { organizationId });
  useOffer('webhook.create', { organizationId, url: 'https://example.org/hooks', events: ['*'] });
  return (
    <Page
      title={t.title}
      about={t.about}
      actions={
        can('webhook:create') && (
          <DialogButton label={t.create} kind="primary" icon={<Plus aria-hidden />} wide>
            {(close) => <CreateWebhook onDone={close} />}
          </DialogButton>
        )
      }
    >
      <List
        label={t.title}
        reading={{ ...reading, rows: reading.data }}
        empty={t.empty}
        columns={[
          {
            label: t.url,
            kind: 'main',
            cell: ({ id: webhookId, url, description }) => (
              <Link to="/o/$slug/webhooks/$webhookId" params={{ slug, webhookId }}>
                <Titled title={url} below={description ?? ''} />
              </Link>
            ),
          },
          { label: t.events, cell: ({ events }) => (events.includes('*') ? t.all : events.length) },
          { label: texts.state, cell: (webhook) => <WebhookState webhook={webhook} /> },
          { label: texts.created, cell: ({ createdAt }) => <When at={createdAt} /> },
        ]}
      />
    </Page>
  );
}
