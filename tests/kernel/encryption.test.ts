import { expect, test } from 'vitest';
import { decryptText, encryptText } from '../../src/kernel/encryption.ts';

const SECRET = 'a-secret-for-tests-that-is-long-enough';

test('what was encrypted is read again, and looks different each time', () => {
  const stored = encryptText(SECRET, 'ssh key', 'row', 'grüße');
  expect(decryptText(SECRET, 'ssh key', 'row', stored)).toBe('grüße');
  expect(stored).not.toContain(Buffer.from('grüße').toString('base64'));
  expect(encryptText(SECRET, 'ssh key', 'row', 'grüße')).not.toBe(stored);
});

test('another secret, purpose or row, or a changed byte, cannot be read', () => {
  const stored = encryptText(SECRET, 'ssh key', 'row', 'text');
  const changed = Buffer.from(stored, 'base64');
  changed[14] = (changed[14] ?? 0) ^ 1;
  expect(() => decryptText(`${SECRET}.`, 'ssh key', 'row', stored)).toThrow();
  expect(() => decryptText(SECRET, 'totp', 'row', stored)).toThrow();
  expect(() => decryptText(SECRET, 'ssh key', 'other', stored)).toThrow();
  expect(() => decryptText(SECRET, 'ssh key', 'row', changed.toString('base64'))).toThrow();
  expect(() => decryptText(SECRET, 'ssh key', 'row', '')).toThrow();
});
