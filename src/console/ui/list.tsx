import type { ReactNode } from 'react';
import type { CallError } from '../lib/api.ts';
import { texts } from '../texts.ts';
import { Button } from './button.tsx';
import { Unreadable } from './notice.tsx';

export type Column<Row> = {
  label: string;
  cell: (row: Row) => ReactNode;
  kind?: 'number' | 'actions' | 'main';
};

type Reading<Row> = {
  rows: Row[] | undefined;
  error: CallError | null;
  isFetching: boolean;
  isFetchingNextPage?: boolean;
  hasNextPage?: boolean;
  fetchNextPage?: () => unknown;
  refetch: () => unknown;
};

type ListProps<Row> = {
  label: string;
  reading: Reading<Row>;
  columns: readonly Column<Row>[];
  /** What to say where there is nothing, and what to do then. */
  empty: ReactNode;
};

const SKELETON_ROWS = 4;

/** A table of one list, page after page; on narrow screens each row is a card. */
export function List<Row extends { id: string }>({ label, reading, columns, empty }: ListProps<Row>) {
  const { rows, error, isFetchingNextPage = false, hasNextPage = false, fetchNextPage } = reading;
  if (rows === undefined)
    return error === null ? <Skeleton rows={SKELETON_ROWS} /> : <Unreadable reading={reading} />;
  if (rows.length === 0) return <div className="empty">{empty}</div>;
  return (
    <>
      <table className="table" aria-label={label}>
        <thead>
          <tr>
            {columns.map(({ label, kind }) => (
              <th key={label} scope="col" className={kind}>
                {kind === 'actions' ? <span className="unseen">{label}</span> : label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.id}>
              {columns.map(({ label, cell, kind }) => (
                <td key={label} className={kind} data-label={label}>
                  {cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {hasNextPage && (
        <div className="more">
          <Button isBusy={isFetchingNextPage} onClick={() => fetchNextPage?.()}>
            {texts.more}
          </Button>
        </div>
      )}
    </>
  );
}

/** Stands where something is being read. */
export function Skeleton({ rows = 3 }: { rows?: number }) {
  return (
    <div className="skeleton" role="status">
      <span className="unseen">{texts.reading}</span>
      {Array.from({ length: rows }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: bars have no other identity
        <div key={index} className="bar" />
      ))}
    </div>
  );
}
