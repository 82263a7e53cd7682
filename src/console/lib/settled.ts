import { useEffect, useState } from 'react';

const PAUSE_MS = 300;

/** What is being typed, once nobody types any more: the service is asked for a word and not for each of its letters. */
export function useSettled(typed: string): string {
  const [settled, setSettled] = useState(typed);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(typed), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  return settled;
}
