import { createHash } from 'node:crypto';
import type { Transaction } from '../../db/client.ts';
import { beyondWall } from '../../db/wall.ts';
import { unavailable } from '../../kernel/errors.ts';
import type { Deps } from '../deps.ts';
import { enqueue } from '../job/index.ts';
import { lockAvatar } from './lock.ts';
import { avatarName } from './url.ts';

/**
 * How long a stored file may wait for somebody to refer to it, and how long one that nobody refers to any more is
 * still served to pages that show it.
 */
const GRACE_MS = 10 * 60_000;

/** A picture in the storage, claimed until `settleAvatar`. */
export type StoredAvatar = { hash: string; claimId: string };

const enqueueCollection = (tx: Transaction, deps: Deps, hash: string): Promise<string> =>
  enqueue(tx, 'avatar.collect', { hash }, new Date(deps.now().getTime() + GRACE_MS));

const busy = () => unavailable('avatar_busy', 'This picture is being removed just now. Try again.');

/**
 * Makes an avatar of a file and stores it. A picture that nobody refers to may be collected at any time, so it is
 * claimed first: the claim is its collection, asked for ahead of time. As long as no runner has taken the claim, no
 * other collection deletes the file; and if the process ends here, the claim cleans up.
 *
 * @throws BAD_REQUEST for a bad file; SERVICE_UNAVAILABLE when the storage fails, or deletes this picture just now.
 */
export async function storeAvatar(deps: Deps, file: Uint8Array): Promise<StoredAvatar> {
  const picture = await deps.images.toAvatar(file);
  const hash = createHash('sha256').update(picture).digest('hex');
  const claimId = await deps.db.transaction(async (tx) => {
    await lockAvatar(tx, hash);
    const running = await tx`
      select 1 from jobs
      where name = 'avatar.collect' and payload ->> 'hash' = ${hash} and failed_at is null and locked_until > ${deps.now()}`;
    if (running.length > 0) throw busy();
    return enqueueCollection(tx, deps, hash);
  });
  await deps.storage.put(avatarName(hash), picture);
  return { hash, claimId };
}

/**
 * Puts a stored picture, or none, in the place of the one before, in the transaction that refers to it from now on:
 * the claim ends, and the one before is let go of.
 *
 * @throws SERVICE_UNAVAILABLE when the claim was taken: the upload stood still for so long that the file may be gone.
 */
export async function settleAvatar(
  tx: Transaction,
  deps: Deps,
  before: string | null,
  stored: StoredAvatar | null,
): Promise<void> {
  if (stored !== null) {
    const claims = await beyondWall(
      tx,
      () => tx`delete from jobs where id = ${stored.claimId} and attempts = 0 returning id`,
    );
    if (claims.length === 0) throw busy();
  }
  if (before !== stored?.hash) await releaseAvatar(tx, deps, before);
}

/**
 * Has a picture collected that this transaction has ceased to refer to: of an account or an organization that is
 * deleted or shows another one. It stays while anybody else refers to it.
 */
export async function releaseAvatar(tx: Transaction, deps: Deps, hash: string | null): Promise<void> {
  if (hash !== null) await enqueueCollection(tx, deps, hash);
}
