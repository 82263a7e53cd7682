import { Plus } from 'lucide-react';
import { useState } from 'react';
import { NAME_MAX_LENGTH } from '../../kernel/lengths.ts';
import { NODE_POOLS } from '../../kernel/tiers.ts';
import type { OutputOf } from '../lib/api.ts';
import { useAct, useList, useOffer } from '../lib/calls.tsx';
import { texts } from '../texts.ts';
import { Badge, Titled, When } from '../ui/bits.tsx';
import { Confirm, Dialog, DialogButton } from '../ui/dialog.tsx';
import { Check, changesOf, Field, Form, Select, type Values } from '../ui/form.tsx';
import { List } from '../ui/list.tsx';
import { RowMenu } from '../ui/menu.tsx';
import { Problem } from '../ui/notice.tsx';
import { Page } from '../ui/page.tsx';
import { Secret } from '../ui/secret.tsx';

const t = texts.nodes;
type Node = OutputOf<'node.all'>['items'][number];
type Step = { kind: 'edit' | 'assign' | 'rotate' | 'remove'; node: Node };

export function Nodes() {
  const reading = useList('node.all', {});
  const [step, setStep] = useState<Step>();
  const close = () => setStep(undefined);
  useOffer('node.create', { ...NEW, name: 'n1' });
  useOffer('node.update', { nodeId: '…', draining: true });
  useOffer('node.assignOrganization', { nodeId: '…', organizationId: '…' });
  useOffer('node.rotateToken', { nodeId: '…' });
  const unassign = useAct('node.unassignOrganization', { done: t.unassigned, sample: { nodeId: '…' } });
  const remove = useAct('node.remove', { done: ({ name }) => t.removed(name), sample: { nodeId: '…' } });
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
            label: texts.name,
            kind: 'main',
            cell: ({ name, address }) => <Titled title={name} below={address ?? ''} />,
          },
          {
            label: texts.state,
            cell: ({ online, draining }) => (
              <Badge tone={draining ? 'warn' : online ? 'good' : 'bad'}>
                {draining ? t.draining : online ? t.online : t.offline}
              </Badge>
            ),
          },
          {
            label: t.pool,
            cell: ({ pool, organizationId }) =>
              organizationId === null ? (
                pool
              ) : (
                <Titled title={texts.servers.dedicated} below={organizationId} />
              ),
          },
          {
            label: texts.servers.memory,
            cell: (node) => <Share used={node.usedMemoryMb} of={node.memoryMb} />,
          },
          { label: texts.servers.disk, cell: (node) => <Share used={node.usedDiskMb} of={node.diskMb} /> },
          { label: t.heard, cell: ({ lastHeartbeatAt }) => <When at={lastHeartbeatAt} /> },
          {
            label: texts.actions,
            kind: 'actions',
            cell: (node) => (
              <RowMenu
                label={texts.actionsFor(node.name)}
                items={[
                  { label: texts.change, onSelect: () => setStep({ kind: 'edit', node }) },
                  { label: t.rotate, onSelect: () => setStep({ kind: 'rotate', node }) },
                  node.organizationId === null
                    ? { label: t.assign, onSelect: () => setStep({ kind: 'assign', node }) }
                    : { label: t.unassign, onSelect: () => unassign.mutate({ nodeId: node.id }) },
                  { label: texts.remove, isDanger: true, onSelect: () => setStep({ kind: 'remove', node }) },
                ]}
              />
            ),
          },
        ]}
      />
      {step?.kind === 'edit' && <Edit node={step.node} onClose={close} />}
      {step?.kind === 'assign' && <Assign node={step.node} onClose={close} />}
      {step?.kind === 'rotate' && <Rotate node={step.node} onClose={close} />}
      {step?.kind === 'remove' && (
        <Confirm
          title={t.removeTitle(step.node.name)}
          name={step.node.name}
          submit={texts.remove}
          act={remove}
          input={{ nodeId: step.node.id }}
          onClose={close}
        >
          <p>{t.removeAbout}</p>
        </Confirm>
      )}
    </Page>
  );
}

const Share = ({ used, of }: { used: number; of: number }) => (
  <span className="share">
    <meter min={0} max={of} value={used} high={of * 0.9} aria-label={t.share(used, of)} />
    <small>{t.share(used, of)}</small>
  </span>
);

const given = (values: Values) => ({
  name: values.text('name'),
  address: values.given('address') ?? null,
  pool: NODE_POOLS.find((pool) => pool === values.text('pool')) ?? 'free_and_paid',
  memoryMb: values.number('memoryMb'),
  diskMb: values.number('diskMb'),
  cpuPercent: values.number('cpuPercent'),
  draining: values.isOn('draining'),
});

type Described = Pick<Node, 'name' | 'address' | 'pool' | 'memoryMb' | 'diskMb' | 'cpuPercent' | 'draining'>;
const NEW: Described = {
  name: '',
  address: null,
  pool: 'free_and_paid',
  memoryMb: 65_536,
  diskMb: 1_000_000,
  cpuPercent: 1_600,
  draining: false,
};

const Fields = ({ node }: { node: Described }) => (
  <>
    <Field name="name" label={texts.name} required maxLength={NAME_MAX_LENGTH} defaultValue={node.name} />
    <Field name="address" label={t.address} maxLength={253} defaultValue={node.address ?? ''} />
    <Select name="pool" label={t.pool} options={NODE_POOLS} defaultValue={node.pool} />
    <div className="columns">
      <Field
        name="memoryMb"
        label={texts.servers.memoryMb}
        type="number"
        min={1}
        required
        defaultValue={node.memoryMb}
      />
      <Field
        name="diskMb"
        label={texts.servers.diskMb}
        type="number"
        min={1}
        required
        defaultValue={node.diskMb}
      />
      <Field
        name="cpuPercent"
        label={texts.servers.cpuPercent}
        type="number"
        min={1}
        required
        defaultValue={node.cpuPercent}
      />
    </div>
    <Check name="draining" label={t.drain} defaultChecked={node.draining} />
  </>
);

function CreateForm({ onDone }: { onDone: () => void }) {
  const create = useAct('node.create');
  if (create.data !== undefined) return <Secret text={create.data.token} about={t.once} onDone={onDone} />;
  return (
    <Form act={create} input={given} submit={t.create}>
      <Fields node={NEW} />
    </Form>
  );
}

type StepProps = { node: Node; onClose: () => void };

function Edit({ node, onClose }: StepProps) {
  const update = useAct('node.update', { done: ({ name }) => t.changed(name) });
  return (
    <Dialog title={node.name} onClose={onClose}>
      <Form
        act={update}
        input={(values) => ({ nodeId: node.id, ...changesOf(given(values), node) })}
        submit={texts.save}
        after={onClose}
      >
        <Fields node={node} />
      </Form>
    </Dialog>
  );
}

function Assign({ node: { id: nodeId, name }, onClose }: StepProps) {
  const assign = useAct('node.assignOrganization', { done: t.assigned(name) });
  return (
    <Dialog title={t.assign} onClose={onClose}>
      <Form
        act={assign}
        input={(values) => ({ nodeId, organizationId: values.text('organizationId').trim() })}
        submit={t.assign}
        after={onClose}
      >
        <Field name="organizationId" label={texts.licenses.organizationId} hint={t.assignHint} required />
      </Form>
    </Dialog>
  );
}

function Rotate({ node: { id: nodeId, name }, onClose }: StepProps) {
  const rotate = useAct('node.rotateToken');
  return (
    <Dialog title={t.rotateTitle(name)} onClose={onClose}>
      {rotate.data !== undefined ? (
        <Secret text={rotate.data.token} about={t.once} onDone={onClose} />
      ) : (
        <Form act={rotate} input={() => ({ nodeId })} submit={t.rotate} kind="danger">
          <p>{t.rotateAbout}</p>
        </Form>
      )}
    </Dialog>
  );
}
