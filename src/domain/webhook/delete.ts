import { allowTime } from '../../db/client.ts';
import { notFound } from '../../kernel/errors.ts';
import { record } from '../audit/index.ts';
import type { Deps } from '../deps.ts';
import { inOrganization } from '../organization/index.ts';
import type { OrganizationActor } from '../principal.ts';
import { callNext } from './room.ts';
import { shown, summaryOf, type Webhook } from './row.ts';

/**
 * With its log and with what waits to be delivered.
 *
 * @returns what was deleted
 * @throws NOT_FOUND when it was deleted before; PRECONDITION_FAILED in an inactive organization
 */
export function deleteWebhook(deps: Deps, actor: OrganizationActor, webhookId: string): Promise<Webhook> {
  return inOrganization(deps, actor, async (tx, { id: organizationId }, { principal, role }) => {
    await allowTime(tx);
    const [webhook] = await tx<Webhook[]>`
      delete from webhooks where id = ${webhookId} and organization_id = ${organizationId}
      returning ${shown(tx)}`;
    if (webhook === undefined) throw notFound('Webhook');
    // What is under way to this webhook calls nobody any more.
    await callNext(tx, organizationId, deps.now());
    await record(tx, principal, deps.now(), {
      organizationId,
      role,
      action: 'delete',
      resourceType: 'webhook',
      resourceId: webhookId,
      before: summaryOf(webhook),
    });
    return webhook;
  });
}
