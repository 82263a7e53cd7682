import {
  MutationCache,
  notifyManager,
  QueryCache,
  QueryClient,
  QueryClientProvider,
} from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { CallError } from './lib/api.ts';
import { onConnectionChange } from './lib/connection.ts';
import { ME } from './lib/session.ts';
import { applyTheme, storedTheme } from './lib/theme.ts';
import { createConsoleRouter } from './routes.tsx';
import './style/index.css';
import { Toasts } from './ui/toast.tsx';

const MAX_RETRIES = 2;

// Not by a timer, before which a second press of a button can come: what was pressed is busy at once.
notifyManager.setScheduler(queueMicrotask);

/** A session that has ended shows on whatever page is open: the account is asked for again, and the page gives way. */
const onError = (error: Error) => {
  if (error instanceof CallError && error.reason === 'not_signed_in') {
    queries.setQueryData(ME.queryKey, null);
    void router.invalidate();
  }
};

// Without networkMode a change would wait for the network to come back, and be made when nobody expects it any more.
const queries: QueryClient = new QueryClient({
  queryCache: new QueryCache({ onError }),
  mutationCache: new MutationCache({ onError }),
  defaultOptions: {
    queries: {
      networkMode: 'always',
      retry: (count, error) => error instanceof CallError && error.status >= 500 && count < MAX_RETRIES,
    },
    mutations: { networkMode: 'always' },
  },
});

const router = createConsoleRouter(queries);
onConnectionChange(() => {
  void queries.invalidateQueries();
  void router.invalidate(); // a page that could not even be begun
});
applyTheme(storedTheme());

const place = document.getElementById('console');
if (place === null) throw new Error('The page has no place for the console.');
createRoot(place).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <Toasts>
        <RouterProvider router={router} />
      </Toasts>
    </QueryClientProvider>
  </StrictMode>,
);
