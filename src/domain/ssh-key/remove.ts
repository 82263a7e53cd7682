import { notFound } from '../../kernel/errors.ts';
import type { Deps } from '../deps.ts';
import { inOwner, type Owner, ownerColumns } from '../owner/index.ts';
import { type SshKey, type SshKeyRow, shown, toSshKey } from './row.ts';

/**
 * @returns what was removed
 * @throws NOT_FOUND when it was removed before; PRECONDITION_FAILED in an inactive organization
 */
export function removeSshKey(deps: Deps, owner: Owner, sshKeyId: string): Promise<SshKey> {
  return inOwner(deps, owner, 'sshKey', async (tx, log) => {
    const { userId, organizationId } = ownerColumns(owner);
    const [row] = await tx<SshKeyRow[]>`
      delete from ssh_keys
      where id = ${sshKeyId} and (user_id = ${userId} or organization_id = ${organizationId})
      returning ${shown(tx)}`;
    if (row === undefined) throw notFound('SSH key');
    const { name, description, type, fingerprint, hasPrivateKey } = row;
    await log({
      action: 'delete',
      resourceId: row.id,
      resourceName: name,
      before: { name, description, type, fingerprint, hasPrivateKey },
    });
    return toSshKey(row);
  });
}
