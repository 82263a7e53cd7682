import { useAct, useList } from '../lib/calls.tsx';
import { texts } from '../texts.ts';
import { Badge, Titled, When } from '../ui/bits.tsx';
import { Button } from '../ui/button.tsx';
import { ConfirmButton } from '../ui/dialog.tsx';
import { List } from '../ui/list.tsx';
import { Problem } from '../ui/notice.tsx';
import { Page } from '../ui/page.tsx';

const t = texts.sessions;

/* Browsers name their ancestors too: the first that is found counts. */
const PROGRAMS = ['Edg', 'Firefox', 'Chrome', 'Safari', 'curl'];
const SYSTEMS = ['Android', 'iPhone', 'Windows', 'Mac OS X', 'Linux'];

/** The program and its system, as far as a browser says them. */
function programOf(userAgent: string | null): string {
  const firstOf = (names: string[]) => names.find((name) => userAgent?.includes(name));
  const program = firstOf(PROGRAMS)?.replace(/^Edg$/, 'Edge') ?? userAgent ?? t.unknown;
  return [program, firstOf(SYSTEMS)].filter(Boolean).join(' · ');
}

export function Sessions() {
  const reading = useList('session.all', {});
  const revoke = useAct('session.revoke', { done: t.ended, sample: { sessionId: '…' } });
  const endAll = useAct('session.logoutAll', { endsSession: true });
  return (
    <Page
      title={t.title}
      about={t.about}
      actions={
        <ConfirmButton
          label={t.endAll}
          title={t.endAll}
          name={t.endAllWord}
          submit={t.endAll}
          act={endAll}
          input={undefined}
        >
          <p>{t.endAllAbout}</p>
        </ConfirmButton>
      }
    >
      {revoke.error !== null && <Problem>{revoke.error.message}</Problem>}
      <List
        label={t.title}
        reading={reading}
        empty=""
        columns={[
          {
            label: t.where,
            kind: 'main',
            cell: ({ userAgent, ipAddress }) => (
              <Titled title={programOf(userAgent)} below={ipAddress ?? t.unknown} />
            ),
          },
          { label: t.seen, cell: ({ lastSeenAt, createdAt }) => <When at={lastSeenAt ?? createdAt} /> },
          { label: texts.expires, cell: ({ expiresAt }) => <When at={expiresAt} /> },
          {
            label: texts.actions,
            kind: 'actions',
            cell: ({ id: sessionId, current }) =>
              current ? (
                <Badge tone="good">{t.current}</Badge>
              ) : (
                <Button isBusy={revoke.isPending} onClick={() => revoke.mutate({ sessionId })}>
                  {t.end}
                </Button>
              ),
          },
        ]}
      />
    </Page>
  );
}
