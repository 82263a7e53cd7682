import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** SHA-256 in hex: how every key and token is stored. They carry 256 random bits, so no slow hash is needed. */
export const hashSecret = (secret: string): string => createHash('sha256').update(secret).digest('hex');

/** 256 random bits, URL-safe, 43 characters. */
export const newSecret = (): string => randomBytes(32).toString('base64url');

/**
 * The token of one thing at one version, made from the server's secret instead of being stored: the job that mails
 * it needs to carry no secret. 256 bits, URL-safe.
 */
export const deriveToken = (serverSecret: string, purpose: string, id: string, version: number): string =>
  createHmac('sha256', serverSecret).update(`${purpose}\n${id}\n${version}`).digest('base64url');

/** Compares without telling by its time where two strings differ. */
export function equalSecrets(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}

const SLUG_ALPHABET = 'abcdefghjkmnpqrstuvwxyz23456789';

/** `length` random characters that are easy to read out. */
export function randomSuffix(length: number): string {
  return Array.from(randomBytes(length), (byte) => SLUG_ALPHABET[byte % SLUG_ALPHABET.length]).join('');
}

/**
 * A digest of something that people type, under the server's secret: without it nobody can try all of them against a
 * copied database.
 */
export const keyedHash = (serverSecret: string, purpose: string, text: string): string =>
  createHmac('sha256', serverSecret).update(`${purpose}\n${text}`).digest('hex');
