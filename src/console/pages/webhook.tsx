import { useNavigate, useParams } from '@tanstack/react-router';
import { RotateCw, Send } from 'lucide-react';
import { useState } from 'react';
import { DESCRIPTION_MAX_LENGTH } from '../../kernel/lengths.ts';
import type { OutputOf } from '../lib/api.ts';
import { useAct, useList, useOffer, useRead } from '../lib/calls.tsx';
import { useCan, useOrganization } from '../lib/organization.tsx';
import { texts } from '../texts.ts';
import { Badge, Facts, Titled, When } from '../ui/bits.tsx';
import { Button } from '../ui/button.tsx';
import { ConfirmButton, Dialog, DialogButton } from '../ui/dialog.tsx';
import { Check, changesOf, Field, Form } from '../ui/form.tsx';
import { List } from '../ui/list.tsx';
import { Problem } from '../ui/notice.tsx';
import { Missing, NotRead } from '../ui/outside.tsx';
import { Page, Section } from '../ui/page.tsx';
import { EventChoice, eventsOf, type Webhook as Hook, SigningSecret, WebhookState } from '../ui/webhook.tsx';

const t = texts.webhook;
type Delivery = OutputOf<'webhook.deliveries'>['items'][number];
const TONES = { pending: 'warn', delivered: 'good', failed: 'bad' } as const;

/** One webhook: what was sent to it, and how it is set up. */
export function Webhook() {
  const { id: organizationId } = useOrganization();
  const { webhookId } = useParams({ strict: false });
  const reading = useRead('webhook.all', { organizationId });
  const can = useCan();
  useOffer('webhook.update', { webhookId: webhookId ?? '', active: false });
  const test = useAct('webhook.test', { done: t.testSent, sample: { webhookId } });
  if (reading.data === undefined) return <NotRead reading={reading} />;
  const webhook = reading.data.find(({ id }) => id === webhookId);
  if (webhook === undefined) return <Missing />;
  return (
    <Page
      title={webhook.url}
      about={webhook.description ?? undefined}
      actions={
        <>
          <WebhookState webhook={webhook} />
          {can('webhook:update') && (
            <>
              <Button
                icon={<Send aria-hidden />}
                isBusy={test.isPending}
                onClick={() => test.mutate({ webhookId: webhook.id })}
              >
                {t.test}
              </Button>
              <DialogButton label={texts.change} wide>
                {(close) => <Edit webhook={webhook} onDone={close} />}
              </DialogButton>
            </>
          )}
        </>
      }
    >
      {test.error !== null && <Problem>{test.error.message}</Problem>}
      <Deliveries webhook={webhook} />
      {can('webhook:delete') && <Remove webhook={webhook} />}
    </Page>
  );
}

function Deliveries({ webhook: { id: webhookId } }: { webhook: Hook }) {
  const reading = useList('webhook.deliveries', { webhookId });
  const [opened, setOpened] = useState<Delivery>();
  const can = useCan();
  const again = useAct('webhook.redeliver', { done: t.redelivered, sample: { deliveryId: '…' } });
  return (
    <Section
      title={t.deliveries}
      actions={
        <Button isBusy={reading.isFetching} icon={<RotateCw aria-hidden />} onClick={() => reading.refetch()}>
          {texts.refresh}
        </Button>
      }
    >
      {again.error !== null && <Problem>{again.error.message}</Problem>}
      <List
        label={t.deliveries}
        reading={reading}
        empty={t.empty}
        columns={[
          {
            label: t.event,
            kind: 'main',
            cell: ({ event, eventId }) => <Titled title={event} below={eventId} />,
          },
          { label: texts.state, cell: ({ status }) => <Badge tone={TONES[status]}>{status}</Badge> },
          { label: t.answer, cell: ({ responseStatus, error }) => responseStatus ?? error ?? '–' },
          { label: t.attempts, kind: 'number', cell: ({ attempts }) => attempts },
          { label: texts.audit.when, cell: ({ createdAt }) => <When at={createdAt} /> },
          {
            label: texts.actions,
            kind: 'actions',
            cell: (delivery) => (
              <span className="buttons">
                <Button kind="quiet" onClick={() => setOpened(delivery)}>
                  {texts.audit.open}
                </Button>
                {can('webhook:update') && (
                  <Button
                    kind="quiet"
                    isBusy={again.isPending && again.variables.deliveryId === delivery.id}
                    onClick={() => again.mutate({ deliveryId: delivery.id })}
                  >
                    {t.redeliver}
                  </Button>
                )}
              </span>
            ),
          },
        ]}
      />
      {opened !== undefined && (
        <Dialog title={opened.event} wide onClose={() => setOpened(undefined)}>
          <Facts
            facts={[
              [texts.state, opened.status],
              [t.answer, opened.responseStatus ?? '–'],
              [t.error, opened.error ?? '–'],
              [t.duration, opened.durationMs === null ? '–' : t.milliseconds(opened.durationMs)],
              [t.next, <When key="next" at={opened.nextAttemptAt} />],
            ]}
          />
          {opened.responseBody !== null && <pre>{opened.responseBody}</pre>}
        </Dialog>
      )}
    </Section>
  );
}

function Edit({ webhook, onDone }: { webhook: Hook; onDone: () => void }) {
  const update = useAct('webhook.update', { done: t.changed });
  if (update.data?.secret !== undefined) return <SigningSecret secret={update.data.secret} onDone={onDone} />;
  return (
    <Form
      act={update}
      input={(values) => ({
        webhookId: webhook.id,
        ...changesOf(
          {
            url: values.text('url'),
            description: values.given('description') ?? null,
            active: values.isOn('active'),
          },
          webhook,
        ),
        events: eventsOf(values),
        rotateSecret: values.isOn('rotateSecret'),
      })}
      submit={texts.save}
      after={({ secret }) => secret === undefined && onDone()}
    >
      <Field name="url" label={texts.webhooks.url} type="url" required defaultValue={webhook.url} />
      <Field
        name="description"
        label={texts.description}
        maxLength={DESCRIPTION_MAX_LENGTH}
        defaultValue={webhook.description ?? ''}
      />
      <EventChoice chosen={webhook.events} />
      <Check name="active" label={t.active} defaultChecked={webhook.active} />
      <Check name="rotateSecret" label={t.rotate} hint={t.rotateHint} />
    </Form>
  );
}

function Remove({ webhook: { id: webhookId, url } }: { webhook: Hook }) {
  const { slug } = useOrganization();
  const navigate = useNavigate();
  const remove = useAct('webhook.delete', { done: t.removed, sample: { webhookId } });
  return (
    <Section title={texts.danger} about={t.removeAbout}>
      <ConfirmButton
        label={t.remove}
        title={t.remove}
        name={new URL(url).host}
        submit={t.remove}
        act={remove}
        input={{ webhookId }}
        after={() => navigate({ to: '/o/$slug/webhooks', params: { slug } })}
      >
        <p>{t.removeAbout}</p>
      </ConfirmButton>
    </Section>
  );
}
