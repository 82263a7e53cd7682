import { bareOrSuperjson } from '../api/transformer.ts';
import { badRequest } from '../kernel/errors.ts';
import { checkJson } from './json.ts';

type Json = Record<string, unknown>;

/** What no JSON can say and an input may hold. Sets, maps and typed arrays would buy much time or memory with few bytes. */
const MARKS = new Set<unknown>(['undefined', 'Date', 'number']);

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The input as JSON alone, without what superjson says of its types. */
export const bare = (raw: unknown): unknown => (isObject(raw) && Object.hasOwn(raw, 'json') ? raw.json : raw);

/** superjson's tree of types: `['Date']` for a value itself, `{ path: tree }` for what is inside it. */
function isTree(tree: unknown): boolean {
  if (Array.isArray(tree)) return tree.length === 1 && MARKS.has(tree[0]);
  return isObject(tree) && Object.values(tree).every(isTree);
}

const isMeta = (meta: unknown): boolean =>
  isObject(meta) &&
  (meta.values === undefined || isTree(meta.values)) &&
  typeof (meta.referentialEqualities ?? {}) === 'object';

/** Whether no array has holes or names of its own. */
function isDense(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  const items = Object.values(value);
  return (!Array.isArray(value) || items.length === value.length) && items.every(isDense);
}

/**
 * The input that a client sent, bare or in superjson's form.
 *
 * @throws BAD_REQUEST for what superjson's own clients do not send.
 */
export function readInput(raw: unknown): unknown {
  const meta = isObject(raw) && Object.hasOwn(raw, 'json') ? (raw.meta ?? undefined) : undefined;
  if (meta === undefined) return bareOrSuperjson.input.deserialize(raw);
  try {
    if (isMeta(meta)) {
      const input = bareOrSuperjson.input.deserialize(raw);
      checkJson(input); // once more: a few bytes can put one value into many places, or far behind an array's end
      if (isDense(input)) return input;
    }
  } catch {} // said below
  throw badRequest('input', 'malformed_superjson', 'The input is not valid superjson.');
}
