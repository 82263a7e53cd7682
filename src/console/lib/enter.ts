import { useQueryClient } from '@tanstack/react-query';
import { useRouter, useSearch } from '@tanstack/react-router';
import { useState } from 'react';

/** A path of the console itself; anything else is not for a link to choose. */
const isOwnPath = (text: string): boolean => /^\/(?![/\\])/.test(text);

/** Goes, as whoever has just signed in, to the page that asked for it. Nothing is kept of what was read before. */
export function useEnter(): () => void {
  const [queries, router] = [useQueryClient(), useRouter()];
  const { next = '/' } = useSearch({ strict: false });
  return () => {
    queries.clear();
    router.history.replace(isOwnPath(next) ? next : '/');
  };
}

/** A parameter of the address, as it was when the page opened. */
export function useParameter(name: string): string {
  const [value] = useState(() => new URLSearchParams(window.location.search).get(name) ?? '');
  return value;
}
