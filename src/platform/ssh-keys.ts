import { generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import sshpk from 'sshpk';
import type { SshKeyGenerator } from '../domain/deps.ts';
import { unavailable } from '../kernel/errors.ts';
import { createSemaphore } from '../kernel/semaphore.ts';

const RSA_BITS = 4096;

const generate = promisify(generateKeyPair);

/** An RSA pair takes a thread for seconds: one is made at a time, so that passwords are still hashed meanwhile. */
export function createSshKeyGenerator(): SshKeyGenerator {
  const oneAtATime = createSemaphore({
    permits: 1,
    maxQueue: 8,
    maxWaitMs: 20_000,
    refuse: () => unavailable('too_many_key_pairs', 'Too many key pairs are being made. Try again.'),
  });
  return {
    async generate(type) {
      const pair =
        type === 'ed25519'
          ? await generate('ed25519')
          : await oneAtATime(() => generate('rsa', { modulusLength: RSA_BITS }));
      const key = sshpk.parsePrivateKey(pair.privateKey.export({ type: 'pkcs8', format: 'pem' }), 'pkcs8');
      key.comment = ''; // the library would name the key after a file
      const open = key.toPublic();
      open.comment = '';
      return { privateKey: key.toString('ssh-private'), publicKey: open.toString('ssh') };
    },
  };
}
