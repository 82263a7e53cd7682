import type { Transaction } from '../../db/client.ts';
import { newId } from '../../kernel/ids.ts';

/** Every kind of job and what it carries. Payloads hold ids, never secrets: they lie in the database. */
export type JobPayloads = {
  'mail.invitation': { invitationId: string; tokenVersion: number };
};

export type JobName = keyof JobPayloads;

/** Asks for work to be done once the transaction has committed; without the commit there is no job. */
export async function enqueue<N extends JobName>(
  tx: Transaction,
  name: N,
  payload: JobPayloads[N],
  runAt: Date,
): Promise<void> {
  await tx`insert into jobs ${tx({ id: newId(), name, payload: tx.json(payload), runAt, createdAt: runAt })}`;
}
