/**
 * What an error says of itself, to an operator. One without a message says its code: so does Node's own where none of
 * several addresses of a host answers.
 */
export const reasonOf = (error: unknown): string =>
  error instanceof Error
    ? error.message.trim() || String('code' in error ? error.code : error.name)
    : String(error);
