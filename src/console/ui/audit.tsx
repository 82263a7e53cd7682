import type { OutputOf } from '../lib/api.ts';
import { texts } from '../texts.ts';
import { Titled } from './bits.tsx';

export type AuditEntry = OutputOf<'auditLog.all'>[number];

/** Who did what, in a line. */
export function AuditSentence({ entry }: { entry: AuditEntry }) {
  const { action, resourceType, resourceName, resourceId, userEmail, apiKeyId } = entry;
  const actor = userEmail ?? texts.audit.service;
  return (
    <Titled
      title={
        <>
          <code className="act">
            {resourceType}.{action}
          </code>{' '}
          {resourceName ?? resourceId}
        </>
      }
      below={apiKeyId === null ? actor : texts.audit.byKey(actor)}
    />
  );
}

const asText = (value: unknown): string | undefined =>
  value === undefined ? undefined : typeof value === 'string' ? value : JSON.stringify(value, null, 1);

/** What a change has changed, field by field. */
export function Diff({ before, after }: Pick<AuditEntry, 'before' | 'after'>) {
  const fields = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])]
    .map((name) => ({ name, was: asText(before?.[name]), is: asText(after?.[name]) }))
    .filter(({ was, is }) => was !== is);
  if (fields.length === 0) return <p className="faint">{texts.audit.nothingChanged}</p>;
  return (
    <dl className="diff">
      {fields.map(({ name, was, is }) => (
        <div key={name}>
          <dt>{name}</dt>
          {was !== undefined && (
            <dd>
              <del>{was}</del>
            </dd>
          )}
          {is !== undefined && (
            <dd>
              <ins>{is}</ins>
            </dd>
          )}
        </div>
      ))}
    </dl>
  );
}
