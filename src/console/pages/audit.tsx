import { BadgeCheck, Download } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import { query } from '../lib/api.ts';
import { useList, useSending } from '../lib/calls.tsx';
import { useOrganization } from '../lib/organization.tsx';
import { useShown } from '../lib/shown.tsx';
import { texts } from '../texts.ts';
import { type AuditEntry, AuditSentence, Diff } from '../ui/audit.tsx';
import { Facts, When } from '../ui/bits.tsx';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Field, Values } from '../ui/form.tsx';
import { List } from '../ui/list.tsx';
import { Notice, Problem } from '../ui/notice.tsx';
import { Page } from '../ui/page.tsx';

const t = texts.audit;
const WORDS = ['userEmail', 'action', 'resourceType'] as const;
const DAYS = ['from', 'to'] as const;
type Filter = Partial<Record<(typeof WORDS | typeof DAYS)[number], string>>;

/** Later ones are no days to JavaScript as they are written. */
const LAST_DAY = '9999-12-31';
/** When a day begins where the browser is, by whose clock the rows are shown. */
const startOf = (day: string | undefined) =>
  day === undefined ? undefined : new Date(`${day}T00:00`).toISOString();

/** The trail of an organization: narrowed, opened, verified and taken along. */
export function Audit() {
  const { id: organizationId } = useOrganization();
  const [filter, setFilter] = useState<Filter>({});
  const [opened, setOpened] = useState<AuditEntry>();
  const reading = useList('auditLog.all', { organizationId, ...filter });
  const download = `/api/auditLog.export?${new URLSearchParams({ organizationId, ...filter })}`;
  useShown({ method: 'GET', path: 'auditLog.export', input: { organizationId, ...filter } });
  return (
    <Page
      title={t.title}
      about={t.about}
      actions={
        <>
          <Verify organizationId={organizationId} />
          <a className="button" href={download} download="audit.jsonl">
            <Download aria-hidden /> {t.export}
          </a>
        </>
      }
    >
      <FilterForm onFilter={setFilter} />
      <List
        label={t.title}
        reading={reading}
        empty={t.empty}
        columns={[
          { label: t.what, kind: 'main', cell: (entry) => <AuditSentence entry={entry} /> },
          { label: t.from, cell: ({ ipAddress }) => ipAddress ?? '–' },
          { label: t.when, cell: ({ createdAt }) => <When at={createdAt} /> },
          {
            label: texts.actions,
            kind: 'actions',
            cell: (entry) => (
              <Button kind="quiet" onClick={() => setOpened(entry)}>
                {t.open}
              </Button>
            ),
          },
        ]}
      />
      {opened !== undefined && <Entry entry={opened} onClose={() => setOpened(undefined)} />}
    </Page>
  );
}

function FilterForm({ onFilter }: { onFilter: (filter: Filter) => void }) {
  const onSubmit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const values = new Values(event.currentTarget);
    const given = [
      ...WORDS.map((name) => [name, values.given(name)]),
      ...DAYS.map((name) => [name, startOf(values.given(name))]),
    ];
    onFilter(Object.fromEntries(given.filter(([, value]) => value !== undefined)));
  };
  return (
    <form className="filters" aria-label={t.filter} onSubmit={onSubmit} onReset={() => onFilter({})}>
      <Field name="userEmail" label={t.who} type="search" />
      <Field name="resourceType" label={t.resource} type="search" placeholder="dnsRecord" />
      <Field name="action" label={t.action} type="search" placeholder="create" />
      <Field name="from" label={t.since} type="date" max={LAST_DAY} />
      <Field name="to" label={t.until} type="date" max={LAST_DAY} />
      <div className="buttons">
        <Button type="submit">{t.filter}</Button>
        <Button type="reset" kind="quiet">
          {t.reset}
        </Button>
      </div>
    </form>
  );
}

/** Reads the whole chain, so only when it is asked for. */
function Verify({ organizationId }: { organizationId: string }) {
  const verify = useSending(() => query('auditLog.verify', { organizationId }));
  useShown({ method: 'GET', path: 'auditLog.verify', input: { organizationId } });
  return (
    <>
      <Button
        icon={<BadgeCheck aria-hidden />}
        isBusy={verify.isPending}
        onClick={() => verify.mutate(undefined)}
      >
        {t.verify}
      </Button>
      {(verify.data !== undefined || verify.error !== null) && (
        <Dialog title={t.verify} onClose={verify.reset}>
          {verify.error !== null && <Problem>{verify.error.message}</Problem>}
          {verify.data?.valid === true && <Notice>{t.valid(verify.data.rows)}</Notice>}
          {verify.data?.valid === false && (
            <Problem>{t.invalid(verify.data.reason ?? '', verify.data.firstBadSeq)}</Problem>
          )}
          {verify.data !== undefined && (
            <Facts
              facts={[
                [t.rows, verify.data.rows],
                [t.head, <code key="head">{verify.data.head.seal}</code>],
              ]}
            />
          )}
        </Dialog>
      )}
    </>
  );
}

function Entry({ entry, onClose }: { entry: AuditEntry; onClose: () => void }) {
  const { resourceType, action, userEmail, userRole, ipAddress, requestId, seq, createdAt } = entry;
  return (
    <Dialog title={`${resourceType}.${action}`} wide onClose={onClose}>
      <Diff {...entry} />
      <Facts
        facts={[
          [t.who, userEmail ?? t.service],
          [texts.members.role, userRole ?? '–'],
          [t.from, ipAddress ?? '–'],
          [t.when, createdAt.toISOString()],
          [t.request, requestId ?? '–'],
          [t.seq, seq],
        ]}
      />
    </Dialog>
  );
}
