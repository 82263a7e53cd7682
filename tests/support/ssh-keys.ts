import { generateKeyPairSync } from 'node:crypto';

/** Fields as SSH writes them: their length, then their bytes. */
export const sshStrings = (...fields: (string | Buffer)[]): Buffer =>
  Buffer.concat(
    fields.flatMap((field) => {
      const bytes = Buffer.from(field);
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      return [length, bytes];
    }),
  );

/** The line of a public key. */
export const sshLine = (type: string, blob: Buffer): string => `${type} ${blob.toString('base64')}`;

/** A public key that nobody has yet. */
export function newPublicKey(): string {
  const { x = '' } = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' });
  return sshLine('ssh-ed25519', sshStrings('ssh-ed25519', Buffer.from(x, 'base64url')));
}
