/** A part of a record's content. Bytes, one character each: texts are not always in UTF-8. */
export type Field = { value: string; quoted: boolean; hasEscapes: boolean };

/** What parts of a line stand apart by. In bytes \s would also be a part of some letters. */
export const SPACE = /[ \t\r\n\f\v]/;

/** As many arguments as every engine takes. */
const PART = 8_192;

/** In UTF-8, and without what only Node has: browsers check contents by these rules too. */
export function toBytes(text: string): string {
  const encoded = new TextEncoder().encode(text);
  let bytes = '';
  for (let at = 0; at < encoded.length; at += PART) {
    bytes += String.fromCharCode(...encoded.subarray(at, at + PART));
  }
  return bytes;
}

export const fromBytes = (bytes: string): string =>
  new TextDecoder().decode(Uint8Array.from(bytes, (byte) => byte.charCodeAt(0)));

/**
 * The next byte, written as itself or as `\` and up to three digits (RFC 1035, 5.1), and how much of the text that is.
 * Undefined where an escape means nothing.
 */
export function byteAt(text: string, at: number): { value: string; length: number } | undefined {
  if (text[at] !== '\\') return { value: text[at] ?? '', length: 1 };
  const digits = /^\d{3}/.exec(text.slice(at + 1, at + 4))?.[0];
  if (digits === undefined) {
    const next = text[at + 1];
    return next === undefined || /\d/.test(next) ? undefined : { value: next, length: 2 };
  }
  const code = Number(digits);
  return code > 255 ? undefined : { value: String.fromCharCode(code), length: 4 };
}

/**
 * The parts of a line: words, and texts in quotation marks. Undefined where a quotation mark is not closed, or an
 * escape means nothing. `bytes` are of one character each.
 */
export function fieldsOf(bytes: string): Field[] | undefined {
  const fields: Field[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (SPACE.test(bytes[at] ?? '')) {
      at += 1;
      continue;
    }
    const quoted = bytes[at] === '"';
    if (quoted) at += 1;
    let value = '';
    let hasEscapes = false;
    let closed = !quoted;
    while (at < bytes.length) {
      const character = bytes[at] ?? '';
      if (character === '"' || (!quoted && SPACE.test(character))) {
        closed = true;
        if (quoted) at += 1;
        break;
      }
      const byte = byteAt(bytes, at);
      if (byte === undefined) return undefined;
      value += byte.value;
      hasEscapes ||= byte.length > 1;
      at += byte.length;
    }
    if (!closed) return undefined;
    fields.push({ value, quoted, hasEscapes });
  }
  return fields;
}

/** In quotation marks, with everything escaped that is not printable ASCII. */
export const quote = (bytes: string): string =>
  `"${bytes.replace(/["\\]|[^ -~]/g, (character) =>
    character === '"' || character === '\\'
      ? `\\${character}`
      : `\\${String(character.charCodeAt(0)).padStart(3, '0')}`,
  )}"`;

/** A character string has at most 255 bytes (RFC 1035, 3.3). */
export const chunks = (bytes: string): string[] => bytes.match(/[\s\S]{1,255}/g) ?? [''];
