import { queryOptions, useQuery } from '@tanstack/react-query';
import { CallError, query } from './api.ts';

/** The account that is signed in; null for nobody. */
export const ME = queryOptions({
  queryKey: ['user.me', undefined],
  queryFn: async ({ signal }) => {
    try {
      return await query('user.me', undefined, signal);
    } catch (error) {
      if (error instanceof CallError && error.status === 401) return null;
      throw error;
    }
  },
});

/** The account of a page that is only shown to who is signed in. */
export function useMe() {
  const { data } = useQuery(ME);
  if (!data) throw new Error('This page needs an account.');
  return data;
}
