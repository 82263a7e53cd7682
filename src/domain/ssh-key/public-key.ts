import { createHash, createPublicKey, type JsonWebKey } from 'node:crypto';
import sshpk from 'sshpk';
import { badRequest, DomainError } from '../../kernel/errors.ts';
import { jwkOfPoint, numberOf, publicJwk } from './jwk.ts';
import { createReader } from './wire.ts';

export const MAX_PUBLIC_KEY_LENGTH = 16_384;
const RSA_BITS = { min: 2048, max: 16_384 };
/** What OpenSSL works with; larger ones only make checking a signature slow. */
const MAX_RSA_EXPONENT = 2n ** 64n;

/** By the name on the wire (RFC 4253, RFC 5656, RFC 8709, OpenSSH's PROTOCOL.u2f). */
const SUPPORTED = [
  'ssh-ed25519',
  'ssh-rsa',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'sk-ssh-ed25519@openssh.com',
  'sk-ecdsa-sha2-nistp256@openssh.com',
] as const;
export type SshKeyType = (typeof SUPPORTED)[number];

export type ParsedPublicKey = {
  type: SshKeyType;
  /** Size of an RSA modulus or of a curve. */
  bits: number;
  /** Type and base64. */
  publicKey: string;
  /** As `ssh-keygen -l` shows it. */
  fingerprint: string;
  /** What the base64 stands for. */
  blob: Buffer;
  jwk: JsonWebKey;
};

type Content = Pick<ParsedPublicKey, 'bits' | 'jwk'>;

const malformed = () =>
  badRequest('publicKey', 'ssh_key_invalid', 'This is not a public key in the one-line form of OpenSSH.');

/** One key: a type, base64, and maybe a comment; nothing before it and no second line. */
const LINE = /^([a-z0-9@.-]{1,64})[ \t]+([A-Za-z0-9+/]+={0,2})(?:[ \t][\P{Cc}\t]*)?$/u;

const isSupported = (type: string): type is SshKeyType => (SUPPORTED as readonly string[]).includes(type);

/** Keys in authenticators: the library does not know them. The application ends them. */
function readSecurityKey(type: SshKeyType, blob: Buffer): Content {
  const fields = createReader(blob);
  fields.string();
  const isCurve = type === 'sk-ecdsa-sha2-nistp256@openssh.com';
  if (isCurve && fields.string().toString('latin1') !== 'nistp256') throw malformed();
  const point = fields.string();
  const application = fields.string().toString('latin1');
  if (!/^[\x20-\x7e]{1,255}$/.test(application) || fields.left() > 0) throw malformed();
  return { bits: 256, jwk: jwkOfPoint(isCurve ? 'nistp256' : 'ed25519', point) };
}

function readKey(blob: Buffer): Content {
  const key = sshpk.parseKey(blob, 'rfc4253');
  // The library mends numbers with zeros before them, and reads private keys: only what it would write the same is it.
  if (!key.toBuffer('rfc4253').equals(blob)) throw malformed();
  return { bits: key.size, jwk: publicJwk(key) };
}

function requireSoundRsa(bits: number, jwk: JsonWebKey): void {
  if (bits < RSA_BITS.min || bits > RSA_BITS.max) {
    throw badRequest(
      'publicKey',
      'ssh_key_size',
      `An RSA key has ${RSA_BITS.min} to ${RSA_BITS.max} bits; this one has ${bits}.`,
    );
  }
  const [n, e] = [numberOf(jwk.n), numberOf(jwk.e)];
  if (n % 2n === 0n || e % 2n === 0n || e < 3n || e > MAX_RSA_EXPONENT) throw malformed();
}

/**
 * Reads a line of authorized_keys without options.
 *
 * @throws BAD_REQUEST for anything but one key of a supported type, encoded in the one way there is
 */
export function parsePublicKey(text: string): ParsedPublicKey {
  if (text.length > MAX_PUBLIC_KEY_LENGTH) throw malformed();
  const [, type = '', base64 = ''] = LINE.exec(text.trim()) ?? [];
  const blob = Buffer.from(base64, 'base64');
  if (base64 === '' || blob.toString('base64') !== base64) throw malformed();
  if (!isSupported(type)) {
    throw badRequest('publicKey', 'ssh_key_type', `The type of key must be one of ${SUPPORTED.join(', ')}.`);
  }
  try {
    if (createReader(blob).string().toString('latin1') !== type) throw malformed();
    const { bits, jwk } = type.startsWith('sk-') ? readSecurityKey(type, blob) : readKey(blob);
    if (type === 'ssh-rsa') requireSoundRsa(bits, jwk);
    createPublicKey({ key: jwk, format: 'jwk' }); // refuses points that are not on their curve
    const fingerprint = `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
    return { type, bits, publicKey: `${type} ${base64}`, fingerprint, blob, jwk };
  } catch (error) {
    // Whatever else a parser says of a key is about its own insides.
    throw error instanceof DomainError ? error : malformed();
  }
}
