import {
  type InfiniteData,
  type UseMutationResult,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from '@tanstack/react-query';
import { useToast } from '../ui/toast.tsx';
import {
  type CallError,
  type InputOf,
  type MutationPath,
  mutate,
  type OutputOf,
  post,
  type QueryPath,
  query,
} from './api.ts';
import { useShown } from './shown.tsx';

/** A change that a form or a button makes. */
export type Act<Input, Output> = UseMutationResult<Output, CallError, Input>;

/** Reads a query; the page shows it as curl. */
export function useRead<P extends QueryPath>(
  path: P,
  input: InputOf<P>,
  options: { enabled?: boolean; staleTime?: number } = {},
) {
  useShown({ method: 'GET', path, input }, options.enabled ?? true);
  return useQuery<OutputOf<P>, CallError>({
    queryKey: [path, input],
    queryFn: ({ signal }) => query(path, input, signal),
    ...options,
  });
}

type Listed<Output> = Output extends { items: (infer Row)[] }
  ? Row
  : Output extends (infer Row)[]
    ? Row
    : never;
type Page = { items: { id: string }[]; nextCursor: string | null };
const PAGE_SIZE = 50;

/** Lists answer pages, or bare arrays whose cursor is the last row's id. */
function pageOf(answer: unknown): Page {
  if (!Array.isArray(answer)) return answer as Page;
  const last: { id: string } | undefined = answer.at(-1);
  return { items: answer, nextCursor: answer.length < PAGE_SIZE ? null : (last?.id ?? null) };
}

/** Reads a list page by page. */
export function useList<P extends QueryPath>(
  path: P,
  input: Omit<NonNullable<InputOf<P>>, 'limit' | 'cursor'>,
  options: { enabled?: boolean } = {},
) {
  useShown({ method: 'GET', path, input: { ...input, limit: PAGE_SIZE } }, options.enabled ?? true);
  const result = useInfiniteQuery<Page, CallError, InfiniteData<Page>, unknown[], string | null>({
    queryKey: [path, 'pages', input],
    queryFn: async ({ pageParam, signal }) => {
      const page = { ...input, limit: PAGE_SIZE, ...(pageParam === null ? {} : { cursor: pageParam }) };
      return pageOf(await query(path, page as InputOf<P>, signal));
    },
    initialPageParam: null,
    getNextPageParam: ({ nextCursor }) => nextCursor,
    ...options,
  });
  const rows = result.data?.pages.flatMap(({ items }) => items) as Listed<OutputOf<P>>[] | undefined;
  return { ...result, rows };
}

/** What to say when it is done; nothing when the page shows it by itself. */
type Done<Output> = string | ((output: Output) => string | undefined);

/** To a fresh page, so that nothing of the account stays in memory. It never ends: this page has nothing more to do. */
function leave(): Promise<never> {
  window.location.assign('/sign-in');
  return new Promise(() => {});
}

/**
 * Any request that changes something: says that it is done, and has everything on the page read again. What ends the
 * session leads to signing in instead.
 */
export function useSending<Input, Output>(
  send: (input: Input) => Promise<Output>,
  done?: Done<Output>,
  endsSession = false,
): Act<Input, Output> {
  const [queries, say] = [useQueryClient(), useToast()];
  return useMutation<Output, CallError, Input>({
    mutationFn: send,
    onSuccess: async (output) => {
      if (endsSession) return leave();
      const text = typeof done === 'function' ? done(output) : done;
      if (text !== undefined) say(text);
      await queries.invalidateQueries();
    },
  });
}

/**
 * Calls a mutation; the page shows it as curl, with `sample` until something was sent. In a dialog, `useOffer` on its page
 * shows it.
 */
export function useAct<P extends MutationPath>(
  path: P,
  options: { done?: Done<OutputOf<P>>; sample?: object; endsSession?: boolean } = {},
): Act<InputOf<P>, OutputOf<P>> {
  const act = useSending((input: InputOf<P>) => mutate(path, input), options.done, options.endsSession);
  const input = act.variables ?? options.sample;
  useShown({ method: 'POST', path, input }, input !== undefined);
  return act;
}

/** Shows a call that a dialog of the page makes, before it is open. */
export const useOffer = <P extends MutationPath>(path: P, sample: InputOf<P>): void =>
  useShown({ method: 'POST', path, input: sample });

/** `useAct` for what is no procedure, such as signing in; the caller says what it answers. */
export function usePost<Output = unknown>(
  path: `auth/${string}`,
  options: { done?: Done<Output>; sample?: object } = {},
): Act<object, Output> {
  const act = useSending((input: object) => post(path, input) as Promise<Output>, options.done);
  useShown({ method: 'POST', path, input: act.variables ?? options.sample });
  return act;
}
