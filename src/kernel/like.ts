/** A pattern of LIKE for whatever contains `text`, with nothing in it that LIKE would read as its own. */
export const containing = (text: string): string => `%${text.replace(/[\\%_]/g, '\\$&')}%`;
