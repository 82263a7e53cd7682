import type { Transaction } from '../../db/client.ts';
import { encryptText } from '../../kernel/encryption.ts';
import { notFound } from '../../kernel/errors.ts';
import { newWebhookSecret } from '../../kernel/webhook-signature.ts';
import { record } from '../audit/index.ts';
import type { Deps } from '../deps.ts';
import { inOrganization } from '../organization/index.ts';
import type { OrganizationActor } from '../principal.ts';
import { endPending } from './pending.ts';
import { SECRET_PURPOSE, shown, summaryOf, type Webhook } from './row.ts';
import { checkUrl } from './url.ts';

const OVERLAP_MS = 24 * 3_600_000;

/** Omitted keeps, null clears. */
export type WebhookChanges = {
  url?: string | undefined;
  description?: string | null | undefined;
  events?: string[] | undefined;
  /** True switches on again what the service switched off; false ends what waits to be delivered. */
  active?: boolean | undefined;
  /** A new signing secret, besides which the present one signs for another 24 hours. */
  rotateSecret?: boolean | undefined;
};

/** The webhook for the rest of the transaction. Its organization is held already. */
export async function holdWebhook(tx: Transaction, organizationId: string, id: string): Promise<Webhook> {
  const [row] = await tx<Webhook[]>`
    select ${shown(tx)} from webhooks
    where id = ${id} and organization_id = ${organizationId} for no key update`;
  if (row === undefined) throw notFound('Webhook');
  return row;
}

/**
 * @returns the webhook, with the new secret if there is one
 * @throws NOT_FOUND when it has just been deleted; otherwise as `createWebhook` does
 */
export async function updateWebhook(
  deps: Deps,
  actor: OrganizationActor,
  webhookId: string,
  changes: WebhookChanges,
): Promise<Webhook & { secret?: string }> {
  const url = changes.url === undefined ? undefined : checkUrl(deps.rules, changes.url);
  return inOrganization(deps, actor, async (tx, { id: organizationId }, { principal, role }) => {
    const webhook = await holdWebhook(tx, organizationId, webhookId);
    const now = deps.now();
    const updated: Webhook = {
      ...webhook,
      url: url ?? webhook.url,
      description: changes.description === undefined ? webhook.description : changes.description,
      events: changes.events ?? webhook.events,
      active: changes.active ?? webhook.active,
      updatedAt: now,
      ...(changes.active === true ? { disabledReason: null, failingSince: null } : {}),
      ...(changes.rotateSecret === true
        ? { previousSecretExpiresAt: new Date(now.getTime() + OVERLAP_MS) }
        : {}),
    };
    await tx`update webhooks set ${tx({ ...updated, events: tx.json(updated.events) })} where id = ${webhookId}`;
    const secret = changes.rotateSecret === true ? newWebhookSecret() : undefined;
    if (secret !== undefined) {
      const stored = encryptText(deps.rules.secret, SECRET_PURPOSE, webhookId, secret);
      await tx`update webhooks set previous_secret = secret, secret = ${stored} where id = ${webhookId}`;
    }
    if (!updated.active) await endPending(tx, webhookId);
    await record(tx, principal, now, {
      organizationId,
      role,
      action: 'update',
      resourceType: 'webhook',
      resourceId: webhookId,
      before: summaryOf(webhook),
      after: { ...summaryOf(updated), rotated: secret !== undefined },
    });
    return secret === undefined ? updated : { ...updated, secret };
  });
}
