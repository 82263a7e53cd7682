import { CircleAlert, Info } from 'lucide-react';
import type { ReactNode } from 'react';
import type { CallError } from '../lib/api.ts';
import { texts } from '../texts.ts';
import { Button } from './button.tsx';

/** What went wrong, in the service's own words. */
export function Problem({ children }: { children: ReactNode }) {
  return (
    <p className="notice problem" role="alert">
      <CircleAlert aria-hidden />
      <span>{children}</span>
    </p>
  );
}

export function Notice({ children }: { children: ReactNode }) {
  return (
    <div className="notice">
      <Info aria-hidden />
      <div>{children}</div>
    </div>
  );
}

export type Reading = { error: CallError | null; isFetching: boolean; refetch: () => unknown };

/** A page that could not be read, and a button to try again. */
export function Unreadable({ reading: { error, isFetching, refetch } }: { reading: Reading }) {
  return (
    <div className="unreadable">
      <Problem>{error?.message}</Problem>
      <Button isBusy={isFetching} onClick={() => refetch()}>
        {texts.again}
      </Button>
    </div>
  );
}
