import { randomInt } from 'node:crypto';

/*
 * Codes that people read off one screen and type into another (RFC 8628, section 6.1): eight consonants, so that no
 * letter looks like a digit and no code is a word; 20^8 are 34 bits.
 */

const LETTERS = 'BCDFGHJKLMNPQRSTVWXZ';
const LENGTH = 8;
const CODE = new RegExp(`^[${LETTERS}]{${LENGTH}}$`);

/** A new code as it is kept and compared: letters alone. */
export const newUserCode = (): string =>
  Array.from({ length: LENGTH }, () => LETTERS[randomInt(LETTERS.length)]).join('');

/** As it is shown: WDJB-MJHT. */
export const shownUserCode = (code: string): string =>
  `${code.slice(0, LENGTH / 2)}-${code.slice(LENGTH / 2)}`;

/** What somebody typed, in either case and with whatever between the letters. */
export const canonicalUserCode = (text: string): string => text.toUpperCase().replace(/[^A-Z]/g, '');

export const isUserCode = (text: string): boolean => CODE.test(text);
