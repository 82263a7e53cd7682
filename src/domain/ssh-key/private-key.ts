import { createPrivateKey, createPublicKey, type JsonWebKey, sign, verify } from 'node:crypto';
import sshpk from 'sshpk';
import { badRequest, DomainError } from '../../kernel/errors.ts';
import { numberOf, privateJwk } from './jwk.ts';
import type { ParsedPublicKey } from './public-key.ts';
import { createReader } from './wire.ts';

export const MAX_PRIVATE_KEY_LENGTH = 32_768;

/** What is before the fields of OpenSSH's own format (PROTOCOL.key). */
const OPENSSH_MAGIC = 'openssh-key-v1\0';
/** OpenSSH puts the tag of its authenticated ciphers behind the file's last field. */
const MAX_TAG_BYTES = 16;

/** One PEM block without headers. The second group is the base64. */
const PEM =
  /^-----BEGIN ((?:OPENSSH |RSA |EC )?PRIVATE KEY)-----\r?\n((?:[A-Za-z0-9+/=]+\r?\n)+)-----END \1-----$/;

const refused = (reason: string, message: string) => badRequest('privateKey', reason, message);
const malformed = () =>
  refused(
    'private_key_invalid',
    'This is not a private key as OpenSSH writes it, nor an unencrypted one in PEM (PKCS #1, PKCS #8, SEC 1).',
  );
const mismatch = () => refused('private_key_mismatch', 'The private key does not belong to the public key.');

/** Whether the numbers of an RSA key belong together; that its primes are primes is its maker's affair. */
function isSoundRsa({ n, e, d, p, q }: Record<'n' | 'e' | 'd' | 'p' | 'q', bigint>): boolean {
  if (p <= 1n || q <= 1n || d >= n || p * q !== n) return false;
  return (e * d) % (p - 1n) === 1n && (e * d) % (q - 1n) === 1n;
}

const SAMPLE = Buffer.from('tenantry');

/** Whether what one of them signs is what the other one accepts. */
function belongs(secret: JsonWebKey, open: JsonWebKey): boolean {
  if (secret.kty !== open.kty || secret.crv !== open.crv) return false;
  if (secret.kty === 'RSA') {
    const [n, e] = [numberOf(open.n), numberOf(open.e)];
    const [d, p, q] = [numberOf(secret.d), numberOf(secret.p), numberOf(secret.q)];
    return numberOf(secret.n) === n && numberOf(secret.e) === e && isSoundRsa({ n, e, d, p, q });
  }
  const hash = secret.kty === 'EC' ? 'sha256' : null;
  const signature = sign(hash, SAMPLE, createPrivateKey({ key: secret, format: 'jwk' }));
  return verify(hash, SAMPLE, createPublicKey({ key: open, format: 'jwk' }), signature);
}

/** OpenSSH's format has the public key in clear, also where a passphrase protects the private one. */
function checkOpenSsh(pem: string, base64: string, { blob, jwk, type }: ParsedPublicKey): void {
  const file = createReader(Buffer.from(base64, 'base64'));
  if (file.take(OPENSSH_MAGIC.length).toString('latin1') !== OPENSSH_MAGIC) throw malformed();
  const [cipher, kdf] = [file.string().toString('latin1'), file.string().toString('latin1')];
  file.string(); // the options of kdf
  if (file.uint32() !== 1) throw malformed();
  const isClear = cipher === 'none' && kdf === 'none';
  if (!isClear && (cipher === 'none' || kdf !== 'bcrypt')) throw malformed();
  if (!file.string().equals(blob)) throw mismatch();
  const content = createReader(file.string());
  if (file.left() > (isClear ? 0 : MAX_TAG_BYTES) || content.left() === 0) throw malformed();
  if (!isClear) return;

  if (type.startsWith('sk-')) {
    // The secret is in the authenticator; what is here begins with two equal numbers and the public key.
    const [first, second] = [content.uint32(), content.uint32()];
    if (first !== second || !content.take(blob.length).equals(blob)) throw mismatch();
    return;
  }
  if (!belongs(privateJwk(sshpk.parsePrivateKey(pem, 'ssh-private')), jwk)) throw mismatch();
}

/**
 * Checks that a private key belongs to a public one. One with a passphrase is taken at the word of the public key
 * inside it, which only OpenSSH's own format has.
 *
 * @returns the key with the line ends of OpenSSH
 * @throws BAD_REQUEST for anything else. Its message never quotes the key.
 */
export function checkPrivateKey(text: string, open: ParsedPublicKey): string {
  if (text.length > MAX_PRIVATE_KEY_LENGTH) throw malformed();
  const pem = text.trim();
  const [, label, body = ''] = PEM.exec(pem) ?? [];
  if (label === undefined) throw malformed();
  try {
    if (label === 'OPENSSH PRIVATE KEY') checkOpenSsh(pem, body, open);
    // Not by sshpk, whose reader of ASN.1 never ends on some that is cut short.
    else if (!belongs(createPrivateKey(pem).export({ format: 'jwk' }), open.jwk)) throw mismatch();
  } catch (error) {
    // Whatever else a parser says may quote the key.
    throw error instanceof DomainError ? error : malformed();
  }
  return `${pem.replaceAll('\r\n', '\n')}\n`;
}
