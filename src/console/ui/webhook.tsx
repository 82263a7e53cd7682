import { useState } from 'react';
import { DESCRIPTION_MAX_LENGTH } from '../../kernel/lengths.ts';
import type { InputOf, OutputOf } from '../lib/api.ts';
import { useAct, useRead } from '../lib/calls.tsx';
import { useOrganization } from '../lib/organization.tsx';
import { texts } from '../texts.ts';
import { Badge } from './bits.tsx';
import { Check, Field, Form, type Values } from './form.tsx';
import { Secret } from './secret.tsx';

const t = texts.webhooks;
export type Webhook = OutputOf<'webhook.all'>[number];
type Events = InputOf<'webhook.create'>['events'];

export function WebhookState({ webhook: { active, disabledReason, failingSince } }: { webhook: Webhook }) {
  if (!active)
    return <Badge tone={disabledReason === null ? 'plain' : 'bad'}>{disabledReason ?? texts.off}</Badge>;
  return (
    <Badge tone={failingSince === null ? 'good' : 'warn'}>
      {failingSince === null ? texts.on : t.failing}
    </Badge>
  );
}

/** What was chosen in `EventChoice`. */
export const eventsOf = (values: Values): Events =>
  (values.isOn('all') ? ['*'] : values.all('events')) as NonNullable<Events>;

/** Everything, or chosen events. */
export function EventChoice({ chosen = ['*'] }: { chosen?: readonly string[] }) {
  const [isAll, setIsAll] = useState(chosen.includes('*'));
  const [picked, setPicked] = useState(chosen);
  const { data: events = [] } = useRead('webhook.events', undefined, { staleTime: Number.POSITIVE_INFINITY });
  // also while they cannot be read: none would be sent, which the service takes as everything
  const isNone = !isAll && !events.some(({ name }) => picked.includes(name));
  return (
    <fieldset>
      <legend>{t.events}</legend>
      <Check
        ref={(input) => input?.setCustomValidity(isNone ? t.chooseSome : '')}
        name="all"
        label={t.all}
        checked={isAll}
        onChange={({ target }) => setIsAll(target.checked)}
      />
      {!isAll && (
        <div className="choices">
          {events.map(({ name, description }) => (
            <Check
              key={name}
              name="events"
              value={name}
              label={name}
              title={description}
              checked={picked.includes(name)}
              onChange={({ target }) =>
                setPicked(target.checked ? [...picked, name] : picked.filter((one) => one !== name))
              }
            />
          ))}
        </div>
      )}
    </fieldset>
  );
}

export function CreateWebhook({ onDone }: { onDone: () => void }) {
  const { id: organizationId } = useOrganization();
  const create = useAct('webhook.create');
  if (create.data !== undefined) return <SigningSecret secret={create.data.secret} onDone={onDone} />;
  return (
    <Form
      act={create}
      input={(values) => ({
        organizationId,
        url: values.text('url'),
        description: values.given('description'),
        events: eventsOf(values),
      })}
      submit={t.create}
    >
      <Field name="url" label={t.url} type="url" required placeholder="https://example.org/hooks" />
      <Field name="description" label={texts.description} maxLength={DESCRIPTION_MAX_LENGTH} />
      <EventChoice />
    </Form>
  );
}

/** The signing secret, this once. */
export const SigningSecret = ({ secret, onDone }: { secret: string; onDone: () => void }) => (
  <Secret text={secret} about={t.once} label={t.copySecret} onDone={onDone} />
);
