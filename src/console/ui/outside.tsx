import { Link, Outlet, useLocation } from '@tanstack/react-router';
import { CloudOff } from 'lucide-react';
import { useIsLost } from '../lib/connection.ts';
import { ShownCalls } from '../lib/shown.tsx';
import { texts } from '../texts.ts';
import { Skeleton } from './list.tsx';
import { Problem, type Reading, Unreadable } from './notice.tsx';
import { Page } from './page.tsx';

export const Logo = () => (
  <svg className="logo" viewBox="0 0 32 32" aria-hidden="true">
    <rect width="32" height="32" rx="8" />
    <path d="M8 10h16M16 10v14M11 16v5M21 16v5" />
  </svg>
);

/** Around everything. */
export function Root() {
  const isLost = useIsLost();
  return (
    <>
      {isLost && (
        <p className="lost" role="alert">
          <CloudOff aria-hidden /> {texts.connection.lost}
        </p>
      )}
      <Outlet />
    </>
  );
}

/** Around the pages for who is not signed in. */
export function Outside() {
  const { pathname } = useLocation();
  return (
    <div className="outside">
      <header className="brand">
        <Logo />
        {texts.product}
      </header>
      <main className="card">
        <ShownCalls key={pathname}>
          <Outlet />
        </ShownCalls>
      </main>
    </div>
  );
}

/** Instead of a page that there is not. */
export const Missing = () => (
  <Page title={texts.notFound.title} about={texts.notFound.about}>
    <Link to="/">{texts.notFound.home}</Link>
  </Page>
);

/** Instead of the page of one thing: that it is being read, that there is none such, or why it cannot be read. */
export function NotRead({ reading }: { reading: Reading }) {
  if (reading.error === null) return <Skeleton />;
  if (isAbsent(reading)) return <Missing />;
  return (
    <Page title={texts.unexpected}>
      <Unreadable reading={reading} />
    </Page>
  );
}

/** Whether there is nothing of the name in the address, or not any more; 400 is for what is no name at all. */
export const isAbsent = ({ error }: Pick<Reading, 'error'>): boolean =>
  error !== null && [400, 404].includes(error.status);

export const NotFound = () => (
  <main className="outside">
    <div className="card">
      <Missing />
    </div>
  </main>
);

export function Unexpected({ error }: { error: unknown }) {
  return (
    <main className="outside">
      <div className="card">
        <h1>{texts.unexpected}</h1>
        <Problem>{error instanceof Error ? error.message : String(error)}</Problem>
        <a className="button" href={window.location.href}>
          {texts.again}
        </a>
      </div>
    </main>
  );
}
