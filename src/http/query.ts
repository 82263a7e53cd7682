import { z } from 'zod';
import { badRequest } from '../kernel/errors.ts';
import { checkJson } from './json.ts';

type Reader = (values: string[]) => unknown;
export type QueryReader = (search: string) => Record<string, unknown>;

/** As JSON writes numbers, without exponents. */
const NUMBER = /^-?(?:0|[1-9]\d{0,15})(?:\.\d{1,16})?$/;

/** The schema inside optional, nullable, default and prefault. */
export function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  const { def } = schema._zod;
  return 'innerType' in def ? unwrap(def.innerType as z.core.$ZodType) : schema;
}

function readOne(schema: z.core.$ZodType, text: string): unknown {
  const { type } = unwrap(schema)._zod.def;
  if (type === 'number' && NUMBER.test(text)) return Number(text);
  if (type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  return text; // the schema says what is wrong with it
}

function readerOf(schema: z.core.$ZodType): Reader {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodArray) return (values) => values.map((value) => readOne(inner.element, value));
  return (values) => (values.length === 1 ? readOne(inner, values[0] ?? '') : values);
}

/** Escapes that are not UTF-8 would be read as other text unseen. */
function requireUtf8(search: string): void {
  try {
    decodeURIComponent(search);
  } catch {
    throw badRequest('input', 'invalid_text', 'The query must be UTF-8, percent-encoded.');
  }
}

/**
 * Reads a query string by the declared types of a procedure's input, without loosening them: `on=false` is false,
 * `on=no` is refused by the schema. A parameter given twice is an array. Undeclared parameters are dropped, so no
 * name can reach a prototype.
 */
export function queryReader(inputs: readonly unknown[]): QueryReader {
  const readers = new Map<string, Reader>();
  for (const input of inputs) {
    const schema = unwrap(input as z.core.$ZodType);
    if (!(schema instanceof z.ZodObject)) throw new Error('The input of a query must be an object.');
    for (const [name, field] of Object.entries(schema.shape)) readers.set(name, readerOf(field));
  }
  return (search) => {
    const input: Record<string, unknown> = {};
    if (search === '') return input;
    requireUtf8(search);
    const params = new URLSearchParams(search);
    for (const [name, read] of readers) {
      const values = params.getAll(name);
      if (values.length === 0) continue;
      checkJson(values);
      input[name] = read(values);
    }
    return input;
  };
}
