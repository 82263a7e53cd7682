import type { JsonWebKey } from 'node:crypto';
import type sshpk from 'sshpk';

/* Keys as Node's crypto and plain arithmetic want them: JSON web keys (RFC 7517, RFC 8037). */

type Parts = Pick<sshpk.Key, 'type' | 'curve' | 'parts'>;

const CURVES: Record<string, { crv: string; bytes: number }> = {
  nistp256: { crv: 'P-256', bytes: 32 },
  nistp384: { crv: 'P-384', bytes: 48 },
  nistp521: { crv: 'P-521', bytes: 66 },
};

const encode = (bytes: Buffer): string => bytes.toString('base64url');

/** A number of a JSON web key; 0 where there is none. */
export const numberOf = (text: string | undefined): bigint =>
  BigInt(`0x0${Buffer.from(text ?? '', 'base64url').toString('hex')}`);

/**
 * A public key of one point: an Ed25519 one, or an uncompressed one of a NIST curve.
 *
 * @throws RangeError for a point of another length or form
 */
export function jwkOfPoint(curve: string, point: Buffer): JsonWebKey {
  if (curve === 'ed25519') {
    if (point.length !== 32) throw new RangeError('An Ed25519 point has 32 bytes.');
    return { kty: 'OKP', crv: 'Ed25519', x: encode(point) };
  }
  const { crv, bytes } = CURVES[curve] ?? { bytes: 0 };
  if (crv === undefined || point.length !== 1 + 2 * bytes || point[0] !== 4) {
    throw new RangeError('This is no uncompressed point of a known curve.');
  }
  return { kty: 'EC', crv, x: encode(point.subarray(1, 1 + bytes)), y: encode(point.subarray(1 + bytes)) };
}

/** The public half of what the library has read. */
export function publicJwk({ type, curve, parts }: Parts): JsonWebKey {
  const part = (name: string) => parts.find((each) => each.name === name)?.data ?? Buffer.alloc(0);
  if (type === 'rsa') return { kty: 'RSA', n: encode(part('n')), e: encode(part('e')) };
  return type === 'ed25519' ? jwkOfPoint(type, part('A')) : jwkOfPoint(curve ?? '', part('Q'));
}

/** The same with its private numbers. */
export function privateJwk(key: Parts): JsonWebKey {
  const part = (name: string) => key.parts.find((each) => each.name === name)?.data ?? Buffer.alloc(0);
  const half = publicJwk(key);
  if (key.type === 'rsa')
    return { ...half, d: encode(part('d')), p: encode(part('p')), q: encode(part('q')) };
  if (key.type === 'ed25519') return { ...half, d: encode(part('k')) };
  const { bytes } = CURVES[key.curve ?? ''] ?? { bytes: 0 };
  const scalar = numberOf(encode(part('d')))
    .toString(16)
    .padStart(2 * bytes, '0');
  return { ...half, d: encode(Buffer.from(scalar, 'hex')) };
}
