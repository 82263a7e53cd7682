import { isUtf8 } from 'node:buffer';
import { badRequest } from '../kernel/errors.ts';

const MAX_DEPTH = 32;
/** More than any procedure takes. Each could have an error of its own. */
const MAX_VALUES = 10_000;
const BYTE_ORDER_MARK = '\uFEFF';

/** PostgreSQL stores neither; both would otherwise surface there as errors or as silently changed text. */
function checkText(text: string): void {
  if (text.includes('\0') || !text.isWellFormed()) {
    throw badRequest('input', 'invalid_text', 'Text must be well-formed Unicode without NUL characters.');
  }
}

/** Refuses what no procedure takes: deep nesting, very many values, NUL characters and lone surrogates. */
export function checkJson(whole: unknown): void {
  let values = 0;
  const check = (value: unknown, depth: number): void => {
    values += 1;
    if (values > MAX_VALUES) {
      throw badRequest('input', 'too_many_values', `JSON has at most ${MAX_VALUES} values.`);
    }
    if (typeof value === 'string') checkText(value);
    if (typeof value !== 'object' || value === null) return;
    if (depth >= MAX_DEPTH) {
      throw badRequest('input', 'too_deep', `JSON is nested at most ${MAX_DEPTH} levels deep.`);
    }
    if (Array.isArray(value)) {
      for (const item of value) check(item, depth + 1);
      return;
    }
    for (const [key, item] of Object.entries(value)) {
      checkText(key);
      check(item, depth + 1);
    }
  };
  check(whole, 0);
}

/** @throws BAD_REQUEST for anything that is not JSON or that `checkJson` refuses. */
export function parseJson(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw badRequest('input', 'malformed_json', 'The input is not valid JSON.');
  }
  checkJson(value);
  return value;
}

/** The same for a body; undefined for an empty one. Bytes that are not UTF-8 would become other text unseen. */
export function parseJsonBody(body: Buffer): unknown {
  if (body.length === 0) return undefined;
  if (!isUtf8(body)) throw badRequest('input', 'invalid_text', 'The body must be UTF-8.');
  const text = body.toString();
  return parseJson(text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text);
}
