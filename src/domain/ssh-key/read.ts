import { NIL } from 'uuid';
import { notFound } from '../../kernel/errors.ts';
import type { Deps } from '../deps.ts';
import { type Owner, ownerColumns } from '../owner/index.ts';
import { type SshKey, type SshKeyRow, shown, toSshKey } from './row.ts';

/** The keys of an owner, oldest first. */
export async function listSshKeys(
  deps: Deps,
  owner: Owner,
  page: { limit: number; cursor: string | null },
): Promise<SshKey[]> {
  const { userId, organizationId } = ownerColumns(owner);
  const rows = await deps.db.query(
    (sql) => sql<SshKeyRow[]>`
      select ${shown(sql)} from ssh_keys
      where (user_id = ${userId} or organization_id = ${organizationId})
        and id > ${page.cursor ?? NIL}
      order by id
      limit ${page.limit}`,
  );
  return rows.map(toSshKey);
}

/** @throws NOT_FOUND when it has just been removed. */
export async function oneSshKey(deps: Deps, owner: Owner, sshKeyId: string): Promise<SshKey> {
  const { userId, organizationId } = ownerColumns(owner);
  const [row] = await deps.db.query(
    (sql) => sql<SshKeyRow[]>`
      select ${shown(sql)} from ssh_keys
      where id = ${sshKeyId} and (user_id = ${userId} or organization_id = ${organizationId})`,
  );
  if (row === undefined) throw notFound('SSH key');
  return toSshKey(row);
}
