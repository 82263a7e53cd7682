import { createHmac } from 'node:crypto';

/* RFC 4226 and 6238 anew, so that what the service makes is checked by something else. */

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const STEP_MS = 30_000;

function fromBase32(text: string): Buffer {
  const bits = [...text].map((character) => BASE32.indexOf(character).toString(2).padStart(5, '0')).join('');
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
}

/** The code of `key` at one time step. */
export function hotp(key: Buffer, step: number, digits = 6): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac('sha1', key).update(counter).digest();
  const offset = (mac.at(-1) ?? 0) & 15;
  const number = mac.readUInt32BE(offset) & 0x7fffffff;
  return String(number % 10 ** digits).padStart(digits, '0');
}

/** What an authenticator app that has read `uri` shows at a moment. */
export function codeOf(uri: string, at: Date): string {
  const secret = new URL(uri).searchParams.get('secret') ?? '';
  return hotp(fromBase32(secret), Math.floor(at.getTime() / STEP_MS));
}
