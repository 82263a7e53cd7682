import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useState } from 'react';
import type { Call } from './curl.ts';

type Shown = { calls: Call[]; show(call: Call): () => void };

const ShownContext = createContext<Shown>({ calls: [], show: () => () => {} });

/** Keeps which calls the parts of a page make, so that the page can say how to make them without it. */
export function ShownCalls({ children }: { children: ReactNode }) {
  const [calls, setCalls] = useState<Call[]>([]);
  const show = useCallback((call: Call) => {
    setCalls((before) => [...before, call]);
    return () => setCalls((before) => before.filter((other) => other !== call));
  }, []);
  return <ShownContext value={useMemo(() => ({ calls, show }), [calls, show])}>{children}</ShownContext>;
}

/** Has the page show a call for as long as the caller is on it. */
export function useShown(call: Call, isMade = true): void {
  const { show } = useContext(ShownContext);
  const text = JSON.stringify(call);
  useEffect(() => (isMade ? show(JSON.parse(text)) : undefined), [show, text, isMade]);
}

/** The calls of the page, one of each. */
export function useShownCalls(): Call[] {
  const { calls } = useContext(ShownContext);
  return [...new Map(calls.map((call) => [call.path, call])).values()];
}
