import { Plus } from 'lucide-react';
import { useState } from 'react';
import { NAME_MAX_LENGTH } from '../../kernel/lengths.ts';
import type { OutputOf } from '../lib/api.ts';
import { useAct, useList, useOffer, useRead } from '../lib/calls.tsx';
import { useCan, useOrganization } from '../lib/organization.tsx';
import { texts } from '../texts.ts';
import { Titled, When } from '../ui/bits.tsx';
import { Confirm, Dialog, DialogButton } from '../ui/dialog.tsx';
import { changesOf, Field, Form, Select, type Values } from '../ui/form.tsx';
import { List } from '../ui/list.tsx';
import { RowMenu } from '../ui/menu.tsx';
import { Notice, Problem } from '../ui/notice.tsx';
import { Page, Section } from '../ui/page.tsx';
import { ServerState } from '../ui/states.tsx';

const t = texts.servers;
type Server = OutputOf<'server.one'>;

export function Servers() {
  const { id: organizationId } = useOrganization();
  const can = useCan();
  const count = useRead('server.count', { organizationId });
  const reading = useList('server.all', { organizationId });
  useOffer('server.create', { organizationId, name: 'web', memoryMb: 1024, diskMb: 10_000, cpuPercent: 100 });
  useOffer('server.update', { serverId: '…', memoryMb: 2048 });
  const [editing, setEditing] = useState<Server>();
  const [ending, setEnding] = useState<Server>();
  const setState = useAct('server.setState', {
    done: ({ name, desiredState }) => t.asked(name, desiredState),
    sample: { serverId: '…', state: 'stopped' },
  });
  const remove = useAct('server.remove', { done: ({ name }) => t.removed(name), sample: { serverId: '…' } });
  return (
    <Page
      title={t.title}
      about={
        count.data &&
        (count.data.maxServers === null ? t.about : t.quota(count.data.count, count.data.maxServers))
      }
      actions={
        can('server:create') && (
          <DialogButton label={t.create} kind="primary" icon={<Plus aria-hidden />}>
            {(close) => <CreateForm onDone={close} />}
          </DialogButton>
        )
      }
    >
      {setState.error !== null && <Problem>{setState.error.message}</Problem>}
      <List
        label={t.title}
        reading={reading}
        empty={t.empty}
        columns={[
          {
            label: texts.name,
            kind: 'main',
            cell: ({ name, id }) => <Titled title={name} below={id.slice(-12)} />,
          },
          { label: t.sizeTitle, cell: ({ memoryMb, cpuPercent }) => t.size(memoryMb, cpuPercent) },
          { label: t.disk, cell: ({ diskMb }) => t.gigabytes(diskMb) },
          { label: texts.state, cell: (server) => <ServerState server={server} /> },
          { label: t.reported, cell: ({ reportedAt }) => <When at={reportedAt} /> },
          {
            label: texts.actions,
            kind: 'actions',
            cell: (server) => {
              const { id: serverId, desiredState, name } = server;
              const other = desiredState === 'running' ? 'stopped' : 'running';
              return (
                <RowMenu
                  label={texts.actionsFor(name)}
                  items={[
                    can('server:update') && {
                      label: other === 'running' ? t.start : t.stop,
                      onSelect: () => setState.mutate({ serverId, state: other }),
                    },
                    can('server:update') && { label: t.resize, onSelect: () => setEditing(server) },
                    can('server:delete') && {
                      label: texts.remove,
                      isDanger: true,
                      onSelect: () => setEnding(server),
                    },
                  ]}
                />
              );
            },
          },
        ]}
      />
      {can('server:create') && <Available />}
      {editing !== undefined && <Resize server={editing} onClose={() => setEditing(undefined)} />}
      {ending !== undefined && (
        <Confirm
          title={t.removeTitle(ending.name)}
          name={ending.name}
          submit={texts.remove}
          act={remove}
          input={{ serverId: ending.id }}
          onClose={() => setEnding(undefined)}
        >
          <p>{t.removeAbout}</p>
        </Confirm>
      )}
    </Page>
  );
}

/** The three measures of a server. */
const Sizes = ({ memoryMb, diskMb, cpuPercent }: Pick<Server, 'memoryMb' | 'diskMb' | 'cpuPercent'>) => (
  <div className="columns">
    <Field name="memoryMb" label={t.memoryMb} type="number" min={64} required defaultValue={memoryMb} />
    <Field name="diskMb" label={t.diskMb} type="number" min={64} required defaultValue={diskMb} />
    <Field name="cpuPercent" label={t.cpuPercent} type="number" min={1} required defaultValue={cpuPercent} />
  </div>
);

const given = (values: Values) => ({
  name: values.text('name'),
  memoryMb: values.number('memoryMb'),
  diskMb: values.number('diskMb'),
  cpuPercent: values.number('cpuPercent'),
});

function CreateForm({ onDone }: { onDone: () => void }) {
  const { id: organizationId } = useOrganization();
  const { data } = useRead('node.available', { organizationId });
  const create = useAct('server.create', {
    done: ({ name }) => t.created(name),
  });
  const nodes = data?.items.map(({ id, name, freeMemoryMb }) => ({
    value: id,
    label: t.nodeChoice(name, freeMemoryMb),
  }));
  return (
    <Form
      act={create}
      input={(values) => ({
        organizationId,
        ...given(values),
        nodeId: values.given('nodeId'),
      })}
      submit={t.create}
      after={onDone}
    >
      {nodes?.length === 0 && <Notice>{t.noRoom}</Notice>}
      <Field name="name" label={texts.name} required maxLength={NAME_MAX_LENGTH} autoFocus />
      <Sizes memoryMb={1024} diskMb={10_000} cpuPercent={100} />
      <Select
        key={nodes?.length}
        name="nodeId"
        label={t.node}
        options={[{ value: '', label: t.anyNode }, ...(nodes ?? [])]}
      />
    </Form>
  );
}

function Resize({ server, onClose }: { server: Server; onClose: () => void }) {
  const update = useAct('server.update', { done: ({ name }) => t.changed(name) });
  return (
    <Dialog title={server.name} onClose={onClose}>
      <Form
        act={update}
        input={(values) => ({ serverId: server.id, ...changesOf(given(values), server) })}
        submit={texts.save}
        after={onClose}
      >
        <Field
          name="name"
          label={texts.name}
          required
          maxLength={NAME_MAX_LENGTH}
          defaultValue={server.name}
        />
        <Sizes {...server} />
      </Form>
    </Dialog>
  );
}

/** Where there is room now. */
function Available() {
  const { id: organizationId } = useOrganization();
  const reading = useList('node.available', { organizationId });
  return (
    <Section title={t.room}>
      <List
        label={t.room}
        reading={reading}
        empty={t.noRoom}
        columns={[
          {
            label: t.node,
            kind: 'main',
            cell: ({ name, address, dedicated }) => (
              <Titled title={name} below={dedicated ? t.dedicated : (address ?? t.shared)} />
            ),
          },
          { label: t.memory, kind: 'number', cell: ({ freeMemoryMb }) => t.gigabytes(freeMemoryMb) },
          { label: t.disk, kind: 'number', cell: ({ freeDiskMb }) => t.gigabytes(freeDiskMb) },
          { label: t.cores, kind: 'number', cell: ({ freeCpuPercent }) => freeCpuPercent / 100 },
        ]}
      />
    </Section>
  );
}
