import { Plus } from 'lucide-react';
import { useState } from 'react';
import { isRecordType, RECORD_TYPES } from '../../kernel/dns/content.ts';
import { relativeName } from '../../kernel/dns/names.ts';
import type { OutputOf } from '../lib/api.ts';
import { useAct, useList, useOffer } from '../lib/calls.tsx';
import { contentProblem, nameProblem } from '../lib/dns.ts';
import { useCan } from '../lib/organization.tsx';
import { texts } from '../texts.ts';
import { Badge } from './bits.tsx';
import { Confirm, Dialog, DialogButton } from './dialog.tsx';
import { Field, Form, Select, type Values } from './form.tsx';
import { List } from './list.tsx';
import { RowMenu } from './menu.tsx';

const t = texts.records;
type Zone = OutputOf<'dnsZone.one'>;
type Record = OutputOf<'dnsRecord.one'>;

/** The records of a zone: narrowed by type, added, changed and deleted. */
export function Records({ zone }: { zone: Zone }) {
  const { organizationId, id: zoneId, name: zoneName } = zone;
  const can = useCan();
  const [type, setType] = useState('');
  const [editing, setEditing] = useState<Record>();
  const [ending, setEnding] = useState<Record>();
  const reading = useList('dnsRecord.all', {
    organizationId,
    zoneId,
    ...(isRecordType(type) ? { type } : {}),
  });
  const example = { name: 'www', content: '192.0.2.1' };
  useOffer('dnsRecord.create', { organizationId, zoneId, type: 'A', ...example });
  useOffer('dnsRecord.update', { organizationId, zoneId, recordId: '…', ...example });
  const remove = useAct('dnsRecord.delete', {
    done: t.removed,
    sample: { organizationId, zoneId, recordId: '…' },
  });
  const nameOf = ({ name }: Record) => relativeName(name, zoneName) ?? name;
  return (
    <>
      <div className="filters">
        <Select
          name="type"
          label={t.type}
          options={[{ value: '', label: t.allTypes }, ...RECORD_TYPES]}
          value={type}
          onChange={({ target }) => setType(target.value)}
        />
        {can('dnsRecord:create') && (
          <DialogButton label={t.create} kind="primary" icon={<Plus aria-hidden />}>
            {(close) => <RecordForm zone={zone} onDone={close} />}
          </DialogButton>
        )}
      </div>
      <List
        label={t.title}
        reading={reading}
        empty={t.empty}
        columns={[
          { label: texts.name, kind: 'main', cell: (record) => <code>{nameOf(record)}</code> },
          { label: t.type, cell: ({ type }) => <Badge>{type}</Badge> },
          { label: t.content, cell: ({ content }) => <code className="content">{content}</code> },
          { label: t.ttl, kind: 'number', cell: ({ ttl }) => ttl },
          {
            label: texts.actions,
            kind: 'actions',
            cell: (record) => (
              <RowMenu
                label={texts.actionsFor(`${nameOf(record)} ${record.type}`)}
                items={[
                  can('dnsRecord:update') && { label: texts.change, onSelect: () => setEditing(record) },
                  can('dnsRecord:delete') && {
                    label: texts.remove,
                    isDanger: true,
                    onSelect: () => setEnding(record),
                  },
                ]}
              />
            ),
          },
        ]}
      />
      {editing !== undefined && (
        <Dialog title={t.change(nameOf(editing), editing.type)} onClose={() => setEditing(undefined)}>
          <RecordForm zone={zone} record={editing} onDone={() => setEditing(undefined)} />
        </Dialog>
      )}
      {ending !== undefined && (
        <Confirm
          title={t.removeTitle(ending.type)}
          name={ending.name}
          submit={texts.remove}
          act={remove}
          input={{ organizationId, zoneId, recordId: ending.id }}
          onClose={() => setEnding(undefined)}
        >
          <pre>{ending.content}</pre>
        </Confirm>
      )}
    </>
  );
}

type RecordFormProps = { zone: Zone; record?: Record; onDone: () => void };

/** Adds a record, or changes one; name and content are checked while they are typed. */
function RecordForm({
  zone: { organizationId, id: zoneId, name: zoneName },
  record,
  onDone,
}: RecordFormProps) {
  const [type, setType] = useState<Record['type']>(record?.type ?? 'A');
  const [name, setName] = useState(
    record === undefined ? '' : (relativeName(record.name, zoneName) ?? record.name),
  );
  const [content, setContent] = useState(record?.content ?? '');
  const create = useAct('dnsRecord.create', {
    done: t.created,
  });
  const update = useAct('dnsRecord.update', { done: t.changed });
  const nameFault = nameProblem(name, zoneName);
  // One that stays as it was shown is not sent, so that it undoes no change of somebody else.
  const newContent = content === record?.content ? undefined : content;
  const contentFault = newContent === undefined ? undefined : contentProblem(type, newContent, zoneName);
  const canSubmit = nameFault === undefined && contentFault === undefined;
  const given = (values: Values) => ({
    organizationId,
    zoneId,
    name,
    ttl: values.givenNumber('ttl'),
  });
  const fields = (
    <>
      {record === undefined && (
        <Select
          name="type"
          label={t.type}
          options={RECORD_TYPES}
          value={type}
          onChange={({ target: { value } }) => isRecordType(value) && setType(value)}
        />
      )}
      <Field
        name="name"
        label={texts.name}
        hint={t.nameHint(zoneName)}
        problem={nameFault}
        value={name}
        onChange={({ target }) => setName(target.value)}
        required
        autoComplete="off"
        spellCheck={false}
      />
      <Field
        name="content"
        label={t.content}
        hint={t.shapes[type]}
        problem={contentFault}
        value={content}
        onChange={({ target }) => setContent(target.value)}
        required
        autoComplete="off"
        spellCheck={false}
      />
      <Field name="ttl" label={t.ttl} hint={t.ttlHint} type="number" min={1} defaultValue={record?.ttl} />
    </>
  );
  return record === undefined ? (
    <Form
      act={create}
      input={(values) => ({ ...given(values), type, content })}
      submit={t.create}
      canSubmit={canSubmit}
      after={onDone}
    >
      {fields}
    </Form>
  ) : (
    <Form
      act={update}
      input={(values) => ({ ...given(values), recordId: record.id, content: newContent })}
      submit={texts.save}
      canSubmit={canSubmit}
      after={onDone}
    >
      {fields}
    </Form>
  );
}
