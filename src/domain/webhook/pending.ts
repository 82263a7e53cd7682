import type { Transaction } from '../../db/client.ts';

/** Ends what waits to be delivered to a webhook; the jobs find nothing to do then. */
export const endPending = async (tx: Transaction, webhookId: string, error: string): Promise<void> => {
  await tx`
    update webhook_deliveries set status = 'failed', error = ${error}, next_attempt_at = null
    where webhook_id = ${webhookId} and status = 'pending'`;
};
