import { Link } from '@tanstack/react-router';
import { TIERS } from '../../kernel/tiers.ts';
import { useList, useRead } from '../lib/calls.tsx';
import { useCan, useOrganization } from '../lib/organization.tsx';
import { texts } from '../texts.ts';
import { AuditSentence } from '../ui/audit.tsx';
import { Badge, Titled, When } from '../ui/bits.tsx';
import { List } from '../ui/list.tsx';
import { Page, Section } from '../ui/page.tsx';
import { ServerState } from '../ui/states.tsx';

const t = texts.overview;
const FEW = 5;

/** What an organization has, and what waits to be done. */
export function Overview() {
  const { name, handle, description, active, role, slug } = useOrganization();
  const can = useCan();
  return (
    <Page
      title={name}
      about={description ?? handle}
      actions={
        <>
          {!active && <Badge tone="warn">{t.inactive}</Badge>}
          <Badge>{t.youAre(role)}</Badge>
        </>
      }
    >
      <Numbers />
      <div className="halves">
        <Section
          title={texts.nav.servers}
          actions={
            <Link to="/o/$slug/servers" params={{ slug }}>
              {t.all}
            </Link>
          }
        >
          <Servers />
        </Section>
        {can('auditLog:read') && (
          <Section
            title={t.recent}
            actions={
              <Link to="/o/$slug/audit" params={{ slug }}>
                {t.all}
              </Link>
            }
          >
            <Recent />
          </Section>
        )}
      </div>
    </Page>
  );
}

function Numbers() {
  const { id: organizationId, portalTier, slug } = useOrganization();
  const can = useCan();
  const servers = useRead('server.count', { organizationId });
  const zones = useRead('dnsZone.all', { organizationId, limit: 500 });
  const members = useRead('organization.members', { organizationId, limit: 500 });
  const mayInvite = can('invitation:read');
  const invitations = useRead('organization.allInvitations', { organizationId }, { enabled: mayInvite });
  const { count, maxServers } = servers.data ?? {};
  const pending = invitations.data?.filter(({ status }) => status === 'pending').length;
  const { maxServers: allowed } = TIERS[portalTier];
  const [working, memberCount] = [zones.data?.items.filter(({ inSync }) => inSync).length, members.data];
  return (
    <div className="numbers">
      <Link to="/o/$slug/settings" params={{ slug }} className="number">
        <span>{t.tier}</span>
        <strong>{TIERS[portalTier].name}</strong>
        <small>{allowed === null ? t.anyNumber : t.upTo(allowed)}</small>
      </Link>
      <Link to="/o/$slug/servers" params={{ slug }} className="number">
        <span>{texts.nav.servers}</span>
        <strong>
          {count ?? '–'}
          {maxServers != null && <small> / {maxServers}</small>}
        </strong>
        {servers.error !== null && <small>{servers.error.message}</small>}
        {maxServers === null && <small>{t.noQuota}</small>}
        {maxServers != null && (
          <meter min={0} max={maxServers} high={maxServers - 0.5} value={count ?? 0} aria-label={t.quota} />
        )}
      </Link>
      <Link to="/o/$slug/dns" params={{ slug }} className="number">
        <span>{t.zones}</span>
        <strong>{zones.data?.items.length ?? '–'}</strong>
        <small>{zones.error?.message ?? (working === undefined ? '' : t.inSync(working))}</small>
      </Link>
      <Link to="/o/$slug/members" params={{ slug }} className="number">
        <span>{texts.nav.members}</span>
        <strong>
          {memberCount?.items.length ?? '–'}
          {memberCount?.nextCursor ? '+' : ''}
        </strong>
        <small>{members.error?.message ?? (pending === undefined ? '' : t.pending(pending))}</small>
      </Link>
    </div>
  );
}

function Servers() {
  const { id: organizationId } = useOrganization();
  const reading = useList('server.all', { organizationId });
  return (
    <List
      label={texts.nav.servers}
      reading={{ ...reading, rows: reading.rows?.slice(0, FEW), hasNextPage: false }}
      empty={texts.servers.empty}
      columns={[
        {
          label: texts.name,
          kind: 'main',
          cell: ({ name, memoryMb, cpuPercent }) => (
            <Titled title={name} below={texts.servers.size(memoryMb, cpuPercent)} />
          ),
        },
        { label: texts.state, cell: (server) => <ServerState server={server} /> },
      ]}
    />
  );
}

function Recent() {
  const { id: organizationId } = useOrganization();
  const reading = useRead('auditLog.all', { organizationId, limit: FEW + 3 });
  return (
    <List
      label={t.recent}
      reading={{ ...reading, rows: reading.data }}
      empty={texts.audit.empty}
      columns={[
        { label: texts.audit.what, kind: 'main', cell: (entry) => <AuditSentence entry={entry} /> },
        { label: texts.audit.when, cell: ({ createdAt }) => <When at={createdAt} /> },
      ]}
    />
  );
}
