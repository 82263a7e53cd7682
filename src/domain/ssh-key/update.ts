import { notFound } from '../../kernel/errors.ts';
import { type IfMatch, requireVersion } from '../../kernel/versions.ts';
import type { Deps } from '../deps.ts';
import { inOwner, type Owner, ownerColumns } from '../owner/index.ts';
import { type SshKey, type SshKeyRow, shown, toSshKey } from './row.ts';

/** By which an ETag tells one state from another. */
export const SSH_KEY_FIELDS = ['name', 'description', 'lastUsedAt'];

/** What can be changed. Omitted keeps, null clears. */
export type SshKeyChanges = {
  name?: string | undefined;
  description?: string | null | undefined;
  lastUsedAt?: Date | null | undefined;
};

/**
 * @throws NOT_FOUND when it has just been removed; PRECONDITION_FAILED in an inactive organization, and when it
 * has changed (`ifMatch`).
 */
export function updateSshKey(
  deps: Deps,
  owner: Owner,
  sshKeyId: string,
  changes: SshKeyChanges,
  ifMatch?: IfMatch,
): Promise<SshKey> {
  return inOwner(deps, owner, 'sshKey', async (tx, log) => {
    const { userId, organizationId } = ownerColumns(owner);
    const [row] = await tx<SshKeyRow[]>`
      select ${shown(tx)} from ssh_keys
      where id = ${sshKeyId} and (user_id = ${userId} or organization_id = ${organizationId})
      for no key update`;
    if (row === undefined) throw notFound('SSH key');
    requireVersion(ifMatch, SSH_KEY_FIELDS, row);
    const { name, description, lastUsedAt } = row;
    const updated = {
      name: changes.name ?? name,
      description: changes.description === undefined ? description : changes.description,
      lastUsedAt: changes.lastUsedAt === undefined ? lastUsedAt : changes.lastUsedAt,
    };
    await tx`update ssh_keys set ${tx(updated)} where id = ${sshKeyId}`;
    await log({
      action: 'update',
      resourceId: sshKeyId,
      resourceName: updated.name,
      before: { name, description, lastUsedAt },
      after: updated,
    });
    return toSshKey({ ...row, ...updated });
  });
}
