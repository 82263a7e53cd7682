import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { unavailable } from './errors.ts';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

const keyFor = (serverSecret: string, purpose: string) =>
  Buffer.from(hkdfSync('sha256', serverSecret, '', `tenantry encryption: ${purpose}`, 32));

/**
 * Encrypts a text for storage: AES-256-GCM, under a key of its own for each purpose (HKDF-SHA256 of the server's
 * secret). `id` names the row that the text belongs to; a value moved to another row cannot be read.
 *
 * @returns base64 of nonce, ciphertext and tag
 */
export function encryptText(serverSecret: string, purpose: string, id: string, text: string): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', keyFor(serverSecret, purpose), nonce).setAAD(Buffer.from(id));
  const encrypted = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, encrypted, cipher.getAuthTag()]).toString('base64');
}

/** @throws SERVICE_UNAVAILABLE when it was encrypted with another secret, for another purpose or row, or was changed. */
export function decryptText(serverSecret: string, purpose: string, id: string, stored: string): string {
  const bytes = Buffer.from(stored, 'base64');
  try {
    const decipher = createDecipheriv(
      'aes-256-gcm',
      keyFor(serverSecret, purpose),
      bytes.subarray(0, NONCE_BYTES),
    )
      .setAAD(Buffer.from(id))
      .setAuthTag(bytes.subarray(-TAG_BYTES));
    const encrypted = bytes.subarray(NONCE_BYTES, -TAG_BYTES);
    return Buffer.concat([decipher.update(encrypted), decipher.final()]).toString('utf8');
  } catch (cause) {
    throw unavailable('secret_changed', 'This was encrypted with another secret of the server.', cause);
  }
}
