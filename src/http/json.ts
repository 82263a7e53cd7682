import { isUtf8 } from 'node:buffer';
import { badRequest } from '../kernel/errors.ts';

const MAX_DEPTH = 32;
const BYTE_ORDER_MARK = '\uFEFF';

/** PostgreSQL stores neither; both would otherwise surface there as errors or as silently changed text. */
function checkText(text: string): void {
  if (text.includes('\0') || !text.isWellFormed()) {
    throw badRequest('input', 'invalid_text', 'Text must be well-formed Unicode without NUL characters.');
  }
}

/** Refuses what no procedure takes: deep nesting, NUL characters and lone surrogates. */
export function checkJson(value: unknown, depth = 0): void {
  if (typeof value === 'string') checkText(value);
  if (typeof value !== 'object' || value === null) return;
  if (depth >= MAX_DEPTH) {
    throw badRequest('input', 'too_deep', `JSON is nested at most ${MAX_DEPTH} levels deep.`);
  }
  if (Array.isArray(value)) {
    for (const item of value) checkJson(item, depth + 1);
    return;
  }
  for (const [key, item] of Object.entries(value)) {
    checkText(key);
    checkJson(item, depth + 1);
  }
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
