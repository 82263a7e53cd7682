import type { Deps } from '../deps.ts';
import { lockAvatar } from './lock.ts';
import { avatarName } from './url.ts';

/**
 * Deletes a picture if nobody refers to it. The job that asked for this is locked meanwhile, which keeps `storeAvatar`
 * from claiming the picture until the file is gone; deleting needs no transaction for that.
 *
 * Other collections of it that no runner has taken are claims, or releases from the same time. Those due later will
 * look again, so the file is theirs; those due before this one belong to uploads that stood still, and end here. An
 * upload that ends its claim just now is waited for, and only then it is asked who refers to the picture.
 */
export async function collectAvatar(deps: Deps, jobId: string, hash: string): Promise<void> {
  const isUnused = await deps.db.transaction(async (tx) => {
    await lockAvatar(tx, hash);
    const untaken = await tx<{ id: string; isLater: boolean }[]>`
      select o.id, (o.run_at, o.id) > (j.run_at, j.id) as is_later
      from jobs j join jobs o on o.name = j.name and o.payload = j.payload and o.id <> j.id
      where j.id = ${jobId} and o.attempts = 0 and o.failed_at is null
      for update of o`;
    if (untaken.some(({ isLater }) => isLater)) return false;
    for (const { id } of untaken) await tx`delete from jobs where id = ${id}`;
    const used = await tx`
      select 1 from users where avatar_hash = ${hash}
      union all select 1 from organizations where avatar_hash = ${hash} limit 1`;
    return used.length === 0;
  });
  if (isUnused) await deps.storage.delete(avatarName(hash));
}
