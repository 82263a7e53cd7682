import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { deriveToken, equalSecrets, hashSecret, newSecret, randomSuffix } from '../../src/kernel/secrets.ts';

test('secrets have 256 bits, fit in a URL and never come twice', () => {
  const secrets = Array.from({ length: 1000 }, newSecret);
  expect(new Set(secrets).size).toBe(1000);
  for (const secret of secrets) {
    expect(secret).toMatch(/^[\w-]{43}$/);
    expect(Buffer.from(secret, 'base64url')).toHaveLength(32);
  }
});

test('what is stored is SHA-256', () => {
  expect(hashSecret('abc')).toBe(createHash('sha256').update('abc').digest('hex'));
});

test('a derived token is the same each time, and another for any other part', () => {
  const token = deriveToken('server', 'invitation', 'id', 1);
  expect(deriveToken('server', 'invitation', 'id', 1)).toBe(token);
  expect(token).toMatch(/^[\w-]{43}$/);
  const others = [
    deriveToken('another', 'invitation', 'id', 1),
    deriveToken('server', 'reset', 'id', 1),
    deriveToken('server', 'invitation', 'di', 1),
    deriveToken('server', 'invitation', 'id', 2),
  ];
  expect(new Set([token, ...others]).size).toBe(5);
});

test('equal secrets are equal strings, whatever their length', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
      expect(equalSecrets(a, b)).toBe(a === b);
      expect(equalSecrets(a, a)).toBe(true);
    }),
  );
});

test('suffixes have the length asked for and nothing that reads like something else', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 64 }), (length) => {
      expect(randomSuffix(length)).toMatch(new RegExp(`^[a-hj-km-np-z2-9]{${length}}$`));
    }),
  );
});
