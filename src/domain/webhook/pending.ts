import type { Transaction } from '../../db/client.ts';

/** What the log says of a delivery whose webhook was switched off before it was sent. */
export const SWITCHED_OFF = 'The webhook was switched off.';

/** Ends what waits to be delivered to a webhook that is switched off; the jobs find nothing to do then. */
export const endPending = async (tx: Transaction, webhookId: string): Promise<void> => {
  await tx`
    update webhook_deliveries set status = 'failed', error = ${SWITCHED_OFF}, next_attempt_at = null
    where webhook_id = ${webhookId} and status = 'pending'`;
};
