import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkPrivateKey } from '../../src/domain/ssh-key/private-key.ts';
import { parsePublicKey } from '../../src/domain/ssh-key/public-key.ts';
import { DomainError } from '../../src/kernel/errors.ts';
import { sshLine, sshStrings } from '../support/ssh-keys.ts';
import vectors from './ssh-keys.json' with { type: 'json' };

/* The keys of ssh-keys.json, their sizes and fingerprints are what ssh-keygen made and said of them. */

type Vector = { publicKey: string; bits: number; fingerprint: string; privateKey: string };
const accepted: Record<string, Vector> = vectors.accepted;
const names = Object.keys(accepted);
const vector = (name: string): Vector => {
  const found = accepted[name];
  if (found === undefined) throw new Error(`There is no key ${name}.`);
  return found;
};

/** The reason why it is refused, undefined when it is not. Anything but a refusal is thrown on. */
function refusal(read: () => unknown): string | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    if (error instanceof DomainError && error.code === 'BAD_REQUEST') return error.reason;
    throw error;
  }
}
const refusalOf = (text: string) => refusal(() => parsePublicKey(text));
const INVALID = 'ssh_key_invalid';

const split = (line: string): [type: string, blob: Buffer] => {
  const [type = '', base64 = ''] = line.split(' ');
  return [type, Buffer.from(base64, 'base64')];
};
const number = (value: bigint): Buffer => {
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex');
  return (bytes[0] ?? 0) > 127 ? Buffer.concat([Buffer.alloc(1), bytes]) : bytes;
};
const rsa = (n: bigint, e: bigint) => sshLine('ssh-rsa', sshStrings('ssh-rsa', number(e), number(n)));

describe('a public key', () => {
  test.each(names)('%s has the size and the fingerprint that ssh-keygen shows', (name) => {
    const { publicKey, bits, fingerprint } = vector(name);
    const [type, base64] = publicKey.split(' ');
    expect(parsePublicKey(publicKey)).toMatchObject({
      type,
      bits,
      fingerprint,
      publicKey: `${type} ${base64}`,
    });
  });

  test('is kept without its comment and the spaces around it', () => {
    const [type, base64] = vector('ed25519').publicKey.split(' ');
    const kept = `${type} ${base64}`;
    for (const text of [`\n${kept}\n`, `${kept}\r\n`, `${type}\t ${base64}  Ada's key\t№ 1`]) {
      expect(parsePublicKey(text).publicKey).toBe(kept);
    }
  });

  test.each(Object.entries(vectors.refused))('%s is refused', (name, publicKey) => {
    expect(refusalOf(publicKey)).toBe(name.startsWith('rsa') ? 'ssh_key_size' : 'ssh_key_type');
  });

  const { publicKey } = vector('ed25519');
  const [type, blob] = split(publicKey);
  const line = sshLine(type, blob);
  const padded = vector('ecdsa 256').publicKey;
  const next = (letter: string) => String.fromCharCode(letter.charCodeAt(0) + 1);
  test.each([
    ['nothing', ''],
    ['a type alone', 'ssh-ed25519'],
    ['two keys', `${line}\n${vector('rsa').publicKey}`],
    ['a key in a second line', `${line} comment\n${line}`],
    ['a carriage return inside', `${line} a\rb`],
    ['an option before it', `no-pty ${line}`],
    ['a command before it', `command="true" ${line}`],
    ['a NUL', `${line}\0`],
    ['base64 without its padding', padded.replace('=', '')],
    ['base64 with bits that stand for nothing', padded.replace(/(.)=$/, (_, last) => `${next(last)}=`)],
    ['base64 with other letters', line.replace('A', '-')],
    ['base64 in two parts', `${line.slice(0, 40)} ${line.slice(40)}`],
    ['another type before the blob', sshLine('ssh-rsa', blob)],
    ['another curve before the blob', vector('ecdsa 256').publicKey.replace('nistp256 ', 'nistp384 ')],
    ['a byte behind the blob', sshLine(type, Buffer.concat([blob, Buffer.alloc(1)]))],
    ['a field behind the blob', sshLine(type, Buffer.concat([blob, sshStrings('x')]))],
    ['a blob that ends early', sshLine(type, blob.subarray(0, -1))],
    ['a point that is too short', sshLine(type, sshStrings(type, Buffer.alloc(31, 1)))],
    ['a length beyond the end', sshLine(type, Buffer.from('ffffffff00', 'hex'))],
    ['more than 16 KB', `${line} ${'x'.repeat(16_384)}`],
    ['spaces for 16 KB', `${line}${' '.repeat(16_000)}\u0001`],
    ['a private key', vector('ed25519').privateKey],
  ])('with %s is refused', (_, text) => expect(refusalOf(text)).toBe(INVALID));

  test.each(['ecdsa 256', 'sk-ecdsa'])('%s whose point is not on the curve is refused', (name) => {
    const [kind, whole] = split(vector(name).publicKey);
    const at = whole.indexOf(Buffer.from([0, 0, 0, 65, 4])) + 40;
    const moved = Buffer.from(whole);
    moved.writeUInt8((moved.readUInt8(at) + 1) % 256, at);
    expect(refusalOf(sshLine(kind, moved))).toBe(INVALID);
  });

  test('RSA takes 2048 to 16384 bits, and numbers that can be right', () => {
    const odd = (bits: bigint) => (1n << (bits - 1n)) + 1n;
    expect(refusalOf(rsa(odd(2047n), 65537n))).toBe('ssh_key_size');
    expect(parsePublicKey(rsa(odd(2048n), 65537n)).bits).toBe(2048);
    expect(parsePublicKey(rsa(odd(16_384n), 3n)).bits).toBe(16_384);
    expect(refusalOf(rsa(odd(16_385n), 65537n))).toBe('ssh_key_size');
    expect(refusalOf(rsa(odd(2048n) + 1n, 65537n))).toBe(INVALID);
    for (const e of [0n, 1n, 4n, 2n ** 65n + 1n]) expect(refusalOf(rsa(odd(2048n), e)), `${e}`).toBe(INVALID);
    const padded = sshStrings('ssh-rsa', Buffer.from([0, 1, 0, 1]), number(odd(2048n)));
    expect(refusalOf(sshLine('ssh-rsa', padded))).toBe(INVALID);
  });

  test('in an authenticator names its application', () => {
    const [kind, whole] = split(vector('sk-ed25519').publicKey);
    const key = whole.subarray(0, 4 + kind.length + 36);
    const withApplication = (name: string) => sshLine(kind, Buffer.concat([key, sshStrings(name)]));
    expect(refusalOf(withApplication('ssh:ada'))).toBeUndefined();
    for (const name of ['', 'ssh:\n', 'x'.repeat(256)])
      expect(refusalOf(withApplication(name))).toBe(INVALID);
    expect(refusalOf(sshLine(kind, key))).toBe(INVALID);
  });

  test('that was changed anywhere is refused, or is another key in the one way to write it', () => {
    const change = fc.record({
      name: fc.constantFrom(...names),
      at: fc.nat(4000),
      bytes: fc.uint8Array({ maxLength: 6 }),
      cut: fc.nat(6),
      append: fc.option(fc.uint8Array({ minLength: 1, maxLength: 40 })),
    });
    fc.assert(
      fc.property(change, ({ name, at, bytes, cut, append }) => {
        const [kind, whole] = split(vector(name).publicKey);
        const start = at % whole.length;
        const mutated = Buffer.concat([whole.subarray(0, start), bytes, whole.subarray(start + cut)]);
        const text = sshLine(kind, Buffer.concat([mutated, append ?? Buffer.alloc(0)]));
        const reason = refusalOf(text);
        if (reason === undefined) expect(parsePublicKey(text).publicKey).toBe(text);
        else expect(['ssh_key_invalid', 'ssh_key_size']).toContain(reason);
      }),
      { numRuns: 3000 },
    );
  });

  test('with anything behind its fields is refused', () => {
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.uint8Array({ minLength: 1, maxLength: 80 }), (name, more) => {
        const [kind, whole] = split(vector(name).publicKey);
        expect(refusalOf(sshLine(kind, Buffer.concat([whole, more])))).toBe(INVALID);
      }),
      { numRuns: 1000 },
    );
  });

  test('may be any text without a crash', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        expect(refusalOf(text)).toBeDefined();
        expect(refusalOf(`ssh-ed25519 ${text}`)).toBeDefined();
      }),
    );
  });
});

describe('a private key', () => {
  const check = (privateKey: string, publicKey: string) =>
    refusal(() => checkPrivateKey(privateKey, parsePublicKey(publicKey)));

  test.each(names)('%s belongs to its public key and to no other', (name) => {
    const { privateKey, publicKey } = vector(name);
    expect(checkPrivateKey(privateKey, parsePublicKey(publicKey))).toBe(privateKey);
    expect(checkPrivateKey(privateKey.replaceAll('\n', '\r\n'), parsePublicKey(publicKey))).toBe(privateKey);
    for (const other of names.filter((each) => each !== name)) {
      if (vector(other).publicKey === publicKey) continue;
      expect(check(privateKey, vector(other).publicKey), other).toBe('private_key_mismatch');
    }
  });

  test.each(Object.entries(vectors.protected))(
    'with a passphrase in %s cannot be checked, so it is refused',
    (_, { privateKey, publicKey }) => expect(check(privateKey, publicKey)).toBe('private_key_invalid'),
  );

  const { privateKey, publicKey } = vector('ed25519');
  test.each([
    ['text', 'secret'],
    ['a public key', publicKey],
    ['two keys', privateKey + privateKey],
    ['text before it', `Comment: x\n${privateKey}`],
    ['another end', privateKey.replace('END OPENSSH', 'END RSA')],
    ['another format', privateKey.replaceAll('OPENSSH ', '')],
    ['less than all', privateKey.replace(/\n[^\n]+\n-----END/, '\n-----END')],
    ['more than 32 KB', `${privateKey}${' '.repeat(32_768)}`],
    ['dashes for 32 KB', '-'.repeat(32_768)],
    // A reader of ASN.1 that waits for more at the end of this would wait for ever.
    [
      'unfinished ASN.1',
      '-----BEGIN PRIVATE KEY-----\nMBQCAQAwBQYDK2VwBAQEAAQABA==\n-----END PRIVATE KEY-----',
    ],
  ])('%s is none', (_, text) => expect(check(text, publicKey)).toBe('private_key_invalid'));

  /** The private half of one key in a file that shows the public half of another. */
  function forged(name: string, shown: string): string {
    const { privateKey: secret } = vector(name);
    const body = Buffer.from(secret.replaceAll(/-----.*-----|\n/g, ''), 'base64');
    const [, own] = split(vector(name).publicKey);
    const [, other] = split(vector(shown).publicKey);
    const at = body.indexOf(own);
    const whole = Buffer.concat([body.subarray(0, at), other, body.subarray(at + own.length)]);
    return `-----BEGIN OPENSSH PRIVATE KEY-----\n${whole.toString('base64')}\n-----END OPENSSH PRIVATE KEY-----\n`;
  }

  test('is not believed by the public key that its file shows', () => {
    const shown = 'ed25519 with a passphrase';
    expect(check(forged('ed25519', shown), vector(shown).publicKey)).toBe('private_key_mismatch');
  });

  test('of RSA has numbers that belong together', () => {
    const { privateKey: pair, publicKey: open } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const { n = '', e = '' } = open.export({ format: 'jwk' });
    const [modulus, exponent] = [n, e].map((text) =>
      BigInt(`0x${Buffer.from(text, 'base64url').toString('hex')}`),
    );
    const line = rsa(modulus ?? 0n, exponent ?? 0n);
    const der = pair.export({ type: 'pkcs1', format: 'der' });
    const pem = (bytes: Buffer) =>
      `-----BEGIN RSA PRIVATE KEY-----\n${bytes.toString('base64')}\n-----END RSA PRIVATE KEY-----\n`;
    expect(check(pem(der), line)).toBeUndefined();
    const at = der.indexOf(Buffer.from(n, 'base64url')) + 256 + 40; // within d
    der.writeUInt8(der.readUInt8(at) ^ 1, at);
    expect(check(pem(der), line)).toBe('private_key_mismatch');
  });

  test('that was changed anywhere never makes a crash', () => {
    const change = fc.record({
      name: fc.constantFrom(...names),
      at: fc.nat(4000),
      text: fc.string({ maxLength: 4 }),
      cut: fc.nat(4),
    });
    fc.assert(
      fc.property(change, ({ name, at, text, cut }) => {
        const { privateKey: secret, publicKey: open } = vector(name);
        const start = at % secret.length;
        check(secret.slice(0, start) + text + secret.slice(start + cut), open);
      }),
      { numRuns: 2000 },
    );
  });

  test('is quoted by no refusal', () => {
    const text = privateKey.replace('OPENSSH PRIVATE KEY-----\nb3', 'OPENSSH PRIVATE KEY-----\nb4');
    for (const wrong of [text, privateKey.replaceAll('OPENSSH', 'RSA')]) {
      try {
        checkPrivateKey(wrong, parsePublicKey(publicKey));
        expect.unreachable();
      } catch (error) {
        expect(error).toBeInstanceOf(DomainError);
        const { message, cause } = error as DomainError;
        expect(message).not.toMatch(/[A-Za-z0-9+/]{16}/);
        expect(cause).toBeUndefined();
      }
    }
  });
});

const hasSshKeygen = spawnSync('ssh-keygen', ['-?']).error === undefined;

describe.skipIf(!hasSshKeygen)('beside ssh-keygen', () => {
  const readByIt = (text: string) => {
    const directory = mkdtempSync(join(tmpdir(), 'tenantry-ssh-'));
    try {
      writeFileSync(join(directory, 'key.pub'), `${text}\n`);
      return spawnSync('ssh-keygen', ['-l', '-f', join(directory, 'key.pub')], { encoding: 'utf8' });
    } finally {
      rmSync(directory, { recursive: true });
    }
  };

  test.each(names)('%s reads alike', (name) => {
    const parsed = parsePublicKey(vector(name).publicKey);
    const { status, stdout } = readByIt(parsed.publicKey);
    expect(status).toBe(0);
    expect(stdout).toContain(`${parsed.bits} ${parsed.fingerprint} `);
  });
});
