/** A part of a record's content. Bytes, one character each: texts are not always in UTF-8. */
export type Field = { value: string; quoted: boolean };

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

/** What `\` and up to three digits stand for (RFC 1035, 5.1), and how much of the text that is. */
export function unescaped(text: string, at: number): { value: string; length: number } | undefined {
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
    if (/\s/.test(bytes[at] ?? '')) {
      at += 1;
      continue;
    }
    const quoted = bytes[at] === '"';
    if (quoted) at += 1;
    let value = '';
    let closed = !quoted;
    while (at < bytes.length) {
      const character = bytes[at] ?? '';
      if (quoted ? character === '"' : /[\s"]/.test(character)) {
        closed = true;
        if (quoted) at += 1;
        break;
      }
      const escaped = character === '\\' ? unescaped(bytes, at) : { value: character, length: 1 };
      if (escaped === undefined) return undefined;
      value += escaped.value;
      at += escaped.length;
    }
    if (!closed) return undefined;
    fields.push({ value, quoted });
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
