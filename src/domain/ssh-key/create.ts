import { encryptText } from '../../kernel/encryption.ts';
import { conflict, preconditionFailed } from '../../kernel/errors.ts';
import { newId } from '../../kernel/ids.ts';
import type { Deps } from '../deps.ts';
import { inOwner, type Owner, ownerColumns } from '../owner/index.ts';
import { checkPrivateKey } from './private-key.ts';
import { parsePublicKey } from './public-key.ts';
import { type SshKey, type SshKeyRow, toSshKey } from './row.ts';

const MAX_KEYS_PER_OWNER = 100;
/** Names the encryption key; what was stored under it can be read with no other. */
const PRIVATE_KEY_PURPOSE = 'ssh key';

export type NewSshKey = {
  name: string;
  description?: string | null | undefined;
  /** One line in OpenSSH's form. */
  publicKey: string;
  /** Empty is none. */
  privateKey?: string | undefined;
};

/**
 * Keeps a public key, and its private one encrypted.
 *
 * @throws BAD_REQUEST for keys that are not accepted or do not belong together; CONFLICT when the owner has this key
 *   already; PRECONDITION_FAILED at the limit of keys or in an inactive organization
 */
export async function createSshKey(deps: Deps, owner: Owner, input: NewSshKey): Promise<SshKey> {
  const parsed = parsePublicKey(input.publicKey);
  const secret = (input.privateKey ?? '').trim() === '' ? null : input.privateKey;
  const privateKey = secret == null ? null : checkPrivateKey(secret, parsed);
  const { type, bits, publicKey, fingerprint } = parsed;
  return inOwner(deps, owner, 'sshKey', async (tx, log) => {
    const { userId, organizationId } = ownerColumns(owner);
    const [count] = await tx<{ keys: number }[]>`
      select count(*) as keys from ssh_keys where user_id = ${userId} or organization_id = ${organizationId}`;
    if (count !== undefined && count.keys >= MAX_KEYS_PER_OWNER) {
      throw preconditionFailed('too_many_ssh_keys', `There are at most ${MAX_KEYS_PER_OWNER} SSH keys.`);
    }
    const row: Omit<SshKeyRow, 'hasPrivateKey'> = {
      id: newId(),
      userId,
      organizationId,
      name: input.name,
      description: input.description ?? null,
      publicKey,
      type,
      bits,
      fingerprint,
      lastUsedAt: null,
      createdAt: deps.now(),
    };
    const stored =
      privateKey === null ? null : encryptText(deps.rules.secret, PRIVATE_KEY_PURPOSE, row.id, privateKey);
    const inserted = await tx`
      insert into ssh_keys ${tx({ ...row, privateKey: stored })} on conflict do nothing returning id`;
    if (inserted.length === 0) throw conflict('ssh_key_exists', 'This key is there already.', 'publicKey');
    const hasPrivateKey = stored !== null;
    await log({
      action: 'create',
      resourceId: row.id,
      resourceName: row.name,
      after: { name: row.name, description: row.description, type, fingerprint, hasPrivateKey },
    });
    return toSshKey({ ...row, hasPrivateKey });
  });
}
