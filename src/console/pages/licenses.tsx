import { Plus } from 'lucide-react';
import { useState } from 'react';
import { TIER_NAMES, TIERS } from '../../kernel/tiers.ts';
import type { OutputOf } from '../lib/api.ts';
import { useAct, useList, useOffer, useRead } from '../lib/calls.tsx';
import { texts } from '../texts.ts';
import { Badge, Titled, When } from '../ui/bits.tsx';
import { Confirm, Dialog, DialogButton } from '../ui/dialog.tsx';
import { Check, changesOf, Field, Form, Select } from '../ui/form.tsx';
import { List, Skeleton } from '../ui/list.tsx';
import { RowMenu } from '../ui/menu.tsx';
import { Problem } from '../ui/notice.tsx';
import { Copyable, Page } from '../ui/page.tsx';
import { Secret } from '../ui/secret.tsx';

const t = texts.licenses;
type License = OutputOf<'license.all'>['items'][number];
type Step = { kind: 'key' | 'edit' | 'assign' | 'remove'; license: License };

const PLANS = TIER_NAMES.map((tier) => ({ value: tier, label: TIERS[tier].name }));
const planOf = (text: string) => TIER_NAMES.find((tier) => tier === text) ?? 'free';
/** The end of a day, as a license names it; never where none is named. */
const endOf = (day: string) => (day === '' ? null : `${day}T23:59:59.000Z`);

export function Licenses() {
  const reading = useList('license.all', {});
  const [step, setStep] = useState<Step>();
  const close = () => setStep(undefined);
  useOffer('license.create', { plan: 'paid' });
  useOffer('license.update', { licenseId: '…', active: false });
  useOffer('organization.assignLicense', { organizationId: '…', licenseId: '…' });
  const unassign = useAct('organization.unassignLicense', {
    done: t.unassigned,
    sample: { organizationId: '…' },
  });
  const remove = useAct('license.delete', { done: t.removed, sample: { licenseId: '…' } });
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
      {unassign.error !== null && <Problem>{unassign.error.message}</Problem>}
      <List
        label={t.title}
        reading={reading}
        empty={t.empty}
        columns={[
          {
            label: t.plan,
            kind: 'main',
            cell: ({ plan, id }) => <Titled title={TIERS[plan].name} below={id} />,
          },
          {
            label: texts.state,
            cell: ({ valid }) => <Badge tone={valid ? 'good' : 'bad'}>{valid ? t.valid : t.invalid}</Badge>,
          },
          { label: t.serves, cell: ({ organizationId }) => organizationId ?? t.nobody },
          {
            label: texts.expires,
            cell: ({ expiresAt }) => (expiresAt === null ? texts.apiKeys.never : <When at={expiresAt} />),
          },
          {
            label: texts.actions,
            kind: 'actions',
            cell: (license) => {
              const { organizationId, plan } = license;
              return (
                <RowMenu
                  label={texts.actionsFor(plan)}
                  items={[
                    { label: t.showKey, onSelect: () => setStep({ kind: 'key', license }) },
                    { label: texts.change, onSelect: () => setStep({ kind: 'edit', license }) },
                    organizationId === null
                      ? { label: t.assign, onSelect: () => setStep({ kind: 'assign', license }) }
                      : { label: t.unassign, onSelect: () => unassign.mutate({ organizationId }) },
                    {
                      label: texts.remove,
                      isDanger: true,
                      onSelect: () => setStep({ kind: 'remove', license }),
                    },
                  ]}
                />
              );
            },
          },
        ]}
      />
      {step?.kind === 'key' && <Key license={step.license} onClose={close} />}
      {step?.kind === 'edit' && <Edit license={step.license} onClose={close} />}
      {step?.kind === 'assign' && <Assign license={step.license} onClose={close} />}
      {step?.kind === 'remove' && (
        <Confirm
          title={t.removeTitle}
          name={step.license.plan}
          submit={texts.remove}
          act={remove}
          input={{ licenseId: step.license.id }}
          onClose={close}
        >
          <p>{step.license.id}</p>
        </Confirm>
      )}
    </Page>
  );
}

function CreateForm({ onDone }: { onDone: () => void }) {
  const create = useAct('license.create', { done: t.created });
  if (create.data !== undefined) {
    return <Secret text={create.data.key} about={t.keyAbout} onDone={onDone} />;
  }
  return (
    <Form
      act={create}
      input={(values) => ({ plan: planOf(values.text('plan')), expiresAt: endOf(values.text('expiresAt')) })}
      submit={t.create}
    >
      <Select name="plan" label={t.plan} options={PLANS} defaultValue="paid" />
      <Field name="expiresAt" label={texts.expires} type="date" hint={t.expiresHint} />
    </Form>
  );
}

type StepProps = { license: License; onClose: () => void };

function Key({ license: { id: licenseId }, onClose }: StepProps) {
  const { data, error } = useRead('license.one', { licenseId });
  return (
    <Dialog title={t.showKey} onClose={onClose}>
      {error !== null && <Problem>{error.message}</Problem>}
      {data === undefined && error === null && <Skeleton rows={1} />}
      {data !== undefined &&
        (data.key === null ? t.keyLost : <Copyable text={data.key} label={texts.copy} />)}
    </Dialog>
  );
}

function Edit({ license, onClose }: StepProps) {
  const { id: licenseId, plan, active, expiresAt } = license;
  const update = useAct('license.update', { done: t.saved });
  const lastDay = expiresAt?.toISOString().slice(0, 10) ?? '';
  return (
    <Dialog title={texts.change} onClose={onClose}>
      <Form
        act={update}
        input={(values) => {
          const day = values.text('expiresAt');
          return {
            licenseId,
            ...changesOf({ plan: planOf(values.text('plan')), active: values.isOn('active') }, license),
            ...(day === lastDay ? {} : { expiresAt: endOf(day) }),
          };
        }}
        submit={texts.save}
        after={onClose}
      >
        <Select name="plan" label={t.plan} options={PLANS} defaultValue={plan} />
        <Field
          name="expiresAt"
          label={texts.expires}
          type="date"
          hint={t.expiresHint}
          defaultValue={lastDay}
        />
        <Check name="active" label={t.active} defaultChecked={active} />
      </Form>
    </Dialog>
  );
}

function Assign({ license: { id: licenseId }, onClose }: StepProps) {
  const { data: organizations = [] } = useRead('organization.all', {});
  const assign = useAct('organization.assignLicense', { done: t.assigned });
  return (
    <Dialog title={t.assign} onClose={onClose}>
      <Form
        act={assign}
        input={(values) => ({ licenseId, organizationId: values.text('organizationId').trim() })}
        submit={t.assign}
        after={onClose}
      >
        <Field
          name="organizationId"
          label={t.organizationId}
          hint={t.organizationHint}
          list="organizations"
          required
          spellCheck={false}
        />
        <datalist id="organizations">
          {organizations.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </datalist>
      </Form>
    </Dialog>
  );
}
