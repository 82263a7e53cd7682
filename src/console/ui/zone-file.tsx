import { useState } from 'react';
import type { OutputOf } from '../lib/api.ts';
import { useAct, useRead } from '../lib/calls.tsx';
import { useCan } from '../lib/organization.tsx';
import { texts } from '../texts.ts';
import { Facts } from './bits.tsx';
import { Download } from './download.tsx';
import { Check, Form, Select, TextArea } from './form.tsx';
import { Skeleton } from './list.tsx';
import { Unreadable } from './notice.tsx';
import { Copy, Section } from './page.tsx';

const t = texts.zoneFile;

/** A zone as a BIND file: to take along, and to take in. */
export function ZoneFile({ zone: { organizationId, id: zoneId } }: { zone: OutputOf<'dnsZone.one'> }) {
  const file = useRead('dnsZone.export', { organizationId, zoneId });
  const can = useCan();
  return (
    <>
      <Section
        title={t.export}
        actions={
          file.data !== undefined && (
            <>
              <Copy text={file.data.zoneFile} label={texts.copy} />
              <Download name={`${file.data.name}.zone`} text={file.data.zoneFile} />
            </>
          )
        }
      >
        {file.data !== undefined ? (
          // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard
          <pre tabIndex={0}>{file.data.zoneFile}</pre>
        ) : file.error === null ? (
          <Skeleton />
        ) : (
          <Unreadable reading={file} />
        )}
      </Section>
      {can('dnsRecord:create') && <Import organizationId={organizationId} zoneId={zoneId} />}
    </>
  );
}

/** Counts what would change first, and changes it when that is asked for. */
function Import({ organizationId, zoneId }: { organizationId: string; zoneId: string }) {
  const [isDry, setIsDry] = useState(true);
  const act = useAct('dnsZone.import', {
    done: ({ dryRun }) => (dryRun ? undefined : t.imported),
    sample: { organizationId, zoneId, zoneFile: 'www 3600 IN A 192.0.2.1', mode: 'merge', dryRun: true },
  });
  const result = act.data;
  return (
    <Section title={t.import} about={t.importAbout}>
      <Form
        act={act}
        input={(values) => ({
          organizationId,
          zoneId,
          zoneFile: values.text('zoneFile'),
          mode: values.text('mode') === 'replace' ? ('replace' as const) : ('merge' as const),
          dryRun: isDry,
        })}
        submit={isDry ? t.count : t.import}
        kind={isDry ? 'primary' : 'danger'}
        after={({ dryRun }) => !dryRun && setIsDry(true)}
      >
        <TextArea name="zoneFile" label={t.file} rows={8} required spellCheck={false} className="code" />
        <Select
          name="mode"
          label={t.mode}
          options={[
            { value: 'merge', label: t.merge },
            { value: 'replace', label: t.replace },
          ]}
        />
        <Check label={t.dryRun} checked={isDry} onChange={({ target }) => setIsDry(target.checked)} />
      </Form>
      {result !== undefined && (
        <div role="status">
          <p>{result.dryRun ? t.would : t.did}</p>
          <Facts
            facts={[
              [t.added, result.added],
              [t.updated, result.updated],
              [t.removed, result.removed],
              [t.unchanged, result.unchanged],
              [t.skipped, result.skipped],
            ]}
          />
        </div>
      )}
    </Section>
  );
}
