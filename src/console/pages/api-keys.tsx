import { Plus } from 'lucide-react';
import { useState } from 'react';
import { API_KEY_NAME_MAX_LENGTH } from '../../kernel/lengths.ts';
import { PERMISSIONS } from '../../kernel/permissions.ts';
import type { OutputOf } from '../lib/api.ts';
import { useAct, useList, useOffer } from '../lib/calls.tsx';
import { useOrganization } from '../lib/organization.tsx';
import { texts } from '../texts.ts';
import { Badge, Titled, When } from '../ui/bits.tsx';
import { Confirm, Dialog, DialogButton } from '../ui/dialog.tsx';
import { Check, Field, Form, Select } from '../ui/form.tsx';
import { List } from '../ui/list.tsx';
import { RowMenu } from '../ui/menu.tsx';
import { Notice } from '../ui/notice.tsx';
import { Page } from '../ui/page.tsx';
import { PermissionGrid } from '../ui/permission-grid.tsx';
import { Secret } from '../ui/secret.tsx';

const t = texts.apiKeys;
type ApiKey = OutputOf<'apiKey.all'>['items'][number];

const DAY_SECONDS = 86_400;
/** In days; empty is never. */
const LIFETIMES = ['30', '90', '365', ''] as const;

/** The keys of the caller. A new one is shown once. */
export function ApiKeys() {
  const reading = useList('apiKey.all', {});
  const { id } = useOrganization();
  useOffer('apiKey.create', { name: 'ci', organizationId: id, expiresIn: 90 * DAY_SECONDS });
  useOffer('apiKey.rotate', { apiKeyId: '…', overlapSeconds: DAY_SECONDS });
  const [rotating, setRotating] = useState<ApiKey>();
  const [ending, setEnding] = useState<ApiKey>();
  const remove = useAct('apiKey.delete', { done: t.removed, sample: { apiKeyId: '…' } });
  return (
    <Page
      title={t.title}
      about={t.about}
      actions={
        <DialogButton label={t.create} kind="primary" icon={<Plus aria-hidden />} wide>
          {(close) => <CreateForm onDone={close} />}
        </DialogButton>
      }
    >
      <List
        label={t.title}
        reading={reading}
        empty={t.empty}
        columns={[
          {
            label: texts.name,
            kind: 'main',
            cell: ({ name, start }) => <Titled title={name} below={`${start}…`} />,
          },
          {
            label: t.reach,
            cell: ({ organizationId, permissions }) => (
              <Badge tone={organizationId === null ? 'warn' : 'plain'}>
                {organizationId === null ? t.everywhere : organizationId === id ? t.here : t.elsewhere}
                {permissions !== null && ` · ${texts.roles.count(permissions.length)}`}
              </Badge>
            ),
          },
          { label: t.used, cell: ({ lastUsedAt }) => <When at={lastUsedAt} /> },
          {
            label: texts.expires,
            cell: ({ expiresAt }) => (expiresAt === null ? t.never : <When at={expiresAt} />),
          },
          {
            label: texts.actions,
            kind: 'actions',
            cell: (key) => (
              <RowMenu
                label={texts.actionsFor(key.name)}
                items={[
                  { label: t.rotate, onSelect: () => setRotating(key) },
                  { label: texts.remove, isDanger: true, onSelect: () => setEnding(key) },
                ]}
              />
            ),
          },
        ]}
      />
      {rotating !== undefined && <Rotate apiKey={rotating} onClose={() => setRotating(undefined)} />}
      {ending !== undefined && (
        <Confirm
          title={t.removeTitle(ending.name)}
          name={ending.name}
          submit={texts.remove}
          act={remove}
          input={{ apiKeyId: ending.id }}
          onClose={() => setEnding(undefined)}
        >
          <p>{t.removeAbout}</p>
        </Confirm>
      )}
    </Page>
  );
}

function CreateForm({ onDone }: { onDone: () => void }) {
  const { id: organizationId, name } = useOrganization();
  const [isLimited, setIsLimited] = useState(false);
  const create = useAct('apiKey.create');
  if (create.data !== undefined) return <ShownOnce apiKey={create.data.key} onDone={onDone} />;
  return (
    <Form
      act={create}
      input={(values) => {
        const [days, chosen] = [values.given('days'), values.all('permissions')];
        const addresses = values.given('allowedIps')?.split(/[\s,]+/);
        return {
          name: values.text('name'),
          organizationId,
          ...(days === undefined ? {} : { expiresIn: Number(days) * DAY_SECONDS }),
          ...(isLimited
            ? { permissions: PERMISSIONS.filter((permission) => chosen.includes(permission)) }
            : {}),
          ...(addresses === undefined ? {} : { allowedIps: addresses }),
        };
      }}
      submit={t.create}
    >
      <Notice>{t.bound(name)}</Notice>
      <Field name="name" label={texts.name} required maxLength={API_KEY_NAME_MAX_LENGTH} />
      <div className="columns">
        <Select
          name="days"
          label={texts.expires}
          defaultValue="90"
          options={LIFETIMES.map((days) => ({ value: days, label: days === '' ? t.never : t.inDays(days) }))}
        />
        <Field name="allowedIps" label={t.allowedIps} hint={t.allowedIpsHint} placeholder="192.0.2.0/24" />
      </div>
      <Check
        label={t.limit}
        hint={t.limitHint}
        checked={isLimited}
        onChange={({ target }) => setIsLimited(target.checked)}
      />
      {isLimited && <PermissionGrid name="permissions" />}
    </Form>
  );
}

function Rotate({ apiKey, onClose }: { apiKey: ApiKey; onClose: () => void }) {
  const rotate = useAct('apiKey.rotate');
  return (
    <Dialog title={t.rotateTitle(apiKey.name)} onClose={onClose}>
      {rotate.data !== undefined ? (
        <ShownOnce apiKey={rotate.data.key} onDone={onClose} />
      ) : (
        <Form
          act={rotate}
          input={(values) => ({ apiKeyId: apiKey.id, overlapSeconds: values.number('overlapSeconds') })}
          submit={t.rotate}
        >
          <Select
            name="overlapSeconds"
            label={t.overlap}
            defaultValue={String(DAY_SECONDS)}
            options={[
              { value: '0', label: t.atOnce },
              { value: String(DAY_SECONDS), label: t.inDays('1') },
              { value: String(7 * DAY_SECONDS), label: t.inDays('7') },
            ]}
          />
        </Form>
      )}
    </Dialog>
  );
}

function ShownOnce({ apiKey, onDone }: { apiKey: string; onDone: () => void }) {
  return (
    <Secret text={apiKey} about={t.once} label={t.copyKey} onDone={onDone}>
      <pre>{`export TENANTRY_KEY=${apiKey}`}</pre>
    </Secret>
  );
}
