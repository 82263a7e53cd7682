import { useNavigate, useParams } from '@tanstack/react-router';
import type { OutputOf } from '../lib/api.ts';
import { useAct, useRead } from '../lib/calls.tsx';
import { useCan, useOrganization } from '../lib/organization.tsx';
import { texts } from '../texts.ts';
import { Badge, Facts, When } from '../ui/bits.tsx';
import { Button } from '../ui/button.tsx';
import { ConfirmButton } from '../ui/dialog.tsx';
import { Skeleton } from '../ui/list.tsx';
import { Notice, Problem, Unreadable } from '../ui/notice.tsx';
import { isAbsent, NotRead } from '../ui/outside.tsx';
import { Copyable, Page, Section } from '../ui/page.tsx';
import { Records } from '../ui/records.tsx';
import { ZoneState } from '../ui/states.tsx';
import { Tabs } from '../ui/tabs.tsx';
import { ZoneFile } from '../ui/zone-file.tsx';

const t = texts.zone;
type Zone = OutputOf<'dnsZone.one'>;

/** One zone: its records, its file, what its provider would be told, and how it is signed and delegated. */
export function Zone() {
  const { id: organizationId } = useOrganization();
  const { zoneId = '' } = useParams({ strict: false });
  const reading = useRead('dnsZone.one', { organizationId, zoneId });
  const zone = reading.data;
  if (zone === undefined || isAbsent(reading)) return <NotRead reading={reading} />;
  return (
    <Page title={zone.name} actions={<ZoneState zone={zone} />}>
      {zone.lastError !== null && <Problem>{zone.lastError}</Problem>}
      {zone.verification !== null && zone.status === 'pending' && <Challenge zone={zone} />}
      <Tabs
        label={zone.name}
        tabs={[
          { name: 'records', label: t.records, content: <Records zone={zone} /> },
          { name: 'plan', label: t.plan, content: <Plan zone={zone} /> },
          { name: 'file', label: t.file, content: <ZoneFile zone={zone} /> },
          { name: 'settings', label: t.settings, content: <Settings zone={zone} /> },
        ]}
      />
    </Page>
  );
}

/** How an organization shows that a domain is its own. */
function Challenge({ zone: { organizationId, id: zoneId, verification, nameservers } }: { zone: Zone }) {
  const verify = useAct('dnsZone.verify', {
    done: ({ status }) => (status === 'active' ? t.verified : t.notYet),
    sample: { organizationId, zoneId },
  });
  return (
    <Notice>
      <p>{t.challenge}</p>
      {verification !== null && (
        <Copyable text={`${verification.name}. TXT "${verification.content}"`} label={texts.copy} />
      )}
      {nameservers.length > 0 && <p>{t.delegate(nameservers.join(', '))}</p>}
      <Button isBusy={verify.isPending} onClick={() => verify.mutate({ organizationId, zoneId })}>
        {t.verify}
      </Button>
      {verify.error !== null && <Problem>{verify.error.message}</Problem>}
    </Notice>
  );
}

const TONES = { create: 'good', update: 'warn', delete: 'bad' } as const;

/** What the provider would be told now. */
function Plan({ zone: { organizationId, id: zoneId } }: { zone: Zone }) {
  const plan = useRead('dnsZone.plan', { organizationId, zoneId }, { staleTime: 30_000 });
  const apply = useAct('dnsZone.verify', { done: t.applied, sample: { organizationId, zoneId } });
  const can = useCan();
  if (plan.data === undefined) return plan.error === null ? <Skeleton /> : <Unreadable reading={plan} />;
  const { compared, total, changes } = plan.data;
  return (
    <Section
      title={t.planTitle(total)}
      about={compared ? t.planAbout : t.notCompared}
      actions={
        <>
          <Button isBusy={plan.isFetching} onClick={() => plan.refetch()}>
            {t.compare}
          </Button>
          {can('dnsZone:update') && compared && total > 0 && (
            <Button
              kind="primary"
              isBusy={apply.isPending}
              onClick={() => apply.mutate({ organizationId, zoneId }, { onSuccess: () => plan.refetch() })}
            >
              {t.apply}
            </Button>
          )}
        </>
      }
    >
      {apply.error !== null && <Problem>{apply.error.message}</Problem>}
      <ul className="plan">
        {changes.map(({ action, name, type, before, after }) => (
          <li key={`${name} ${type}`}>
            <Badge tone={TONES[action]}>{action}</Badge>
            <code>
              {name} {type}
            </code>
            {before !== null && <del>{t.rrset(before.ttl, before.contents.join(' · '))}</del>}
            {after !== null && <ins>{t.rrset(after.ttl, after.contents.join(' · '))}</ins>}
          </li>
        ))}
      </ul>
    </Section>
  );
}

function Settings({ zone }: { zone: Zone }) {
  const { organizationId, id: zoneId, name, dnssec, nameservers, provider, syncedAt, verifiedAt } = zone;
  const { slug } = useOrganization();
  const [navigate, can] = [useNavigate(), useCan()];
  const enabled = !dnssec.enabled;
  const sign = useAct('dnsZone.dnssec', {
    done: ({ dnssec }) => (dnssec.enabled ? t.signed : t.unsigned),
    sample: { organizationId, zoneId, enabled },
  });
  const remove = useAct('dnsZone.delete', { done: t.removed(name), sample: { organizationId, zoneId } });
  return (
    <>
      <Facts
        facts={[
          [t.provider, provider],
          [t.nameservers, nameservers.join(', ') || '–'],
          [t.syncedAt, <When key="synced" at={syncedAt} />],
          [t.verifiedAt, <When key="verified" at={verifiedAt} />],
        ]}
      />
      {can('dnsZone:update') && (
        <Section
          title="DNSSEC"
          about={t.dnssecAbout}
          actions={
            <Button isBusy={sign.isPending} onClick={() => sign.mutate({ organizationId, zoneId, enabled })}>
              {enabled ? t.sign : t.unsign}
            </Button>
          }
        >
          {sign.error !== null && <Problem>{sign.error.message}</Problem>}
          {dnssec.ds.map((record) => (
            <Copyable key={record} text={record} label={texts.copy} />
          ))}
        </Section>
      )}
      {can('dnsZone:delete') && (
        <Section title={texts.danger} about={t.removeAbout}>
          <ConfirmButton
            label={t.remove}
            title={t.removeTitle(name)}
            name={name}
            submit={t.remove}
            act={remove}
            input={{ organizationId, zoneId }}
            after={() => navigate({ to: '/o/$slug/dns', params: { slug } })}
          >
            <p>{t.removeAbout}</p>
          </ConfirmButton>
        </Section>
      )}
    </>
  );
}
