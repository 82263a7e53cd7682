import { encryptText } from '../../kernel/encryption.ts';
import { preconditionFailed } from '../../kernel/errors.ts';
import { newId } from '../../kernel/ids.ts';
import { newWebhookSecret } from '../../kernel/webhook-signature.ts';
import { record } from '../audit/index.ts';
import type { Deps } from '../deps.ts';
import { inOrganization } from '../organization/index.ts';
import type { OrganizationActor } from '../principal.ts';
import { SECRET_PURPOSE, summaryOf, type Webhook } from './row.ts';
import { checkUrl } from './url.ts';

const MAX_WEBHOOKS = 20;

export type NewWebhook = {
  url: string;
  description?: string | null | undefined;
  /** Names of events, or `*`. */
  events: string[];
  active: boolean;
};

/**
 * The answer is the only place where the signing secret appears.
 *
 * @throws BAD_REQUEST for an address that webhooks may not have; PRECONDITION_FAILED at the limit of webhooks or in an
 *   inactive organization
 */
export async function createWebhook(
  deps: Deps,
  actor: OrganizationActor,
  input: NewWebhook,
): Promise<Webhook & { secret: string }> {
  const url = checkUrl(deps.rules, input.url);
  return inOrganization(deps, actor, async (tx, { id: organizationId }, { principal, role }) => {
    const [count] = await tx<{ webhooks: number }[]>`
      select count(*) as webhooks from webhooks where organization_id = ${organizationId}`;
    if (count !== undefined && count.webhooks >= MAX_WEBHOOKS) {
      throw preconditionFailed('too_many_webhooks', `An organization has at most ${MAX_WEBHOOKS} webhooks.`);
    }
    const now = deps.now();
    const secret = newWebhookSecret();
    const row: Webhook = {
      id: newId(),
      organizationId,
      url,
      description: input.description ?? null,
      events: input.events,
      active: input.active,
      disabledReason: null,
      failingSince: null,
      previousSecretExpiresAt: null,
      createdAt: now,
      updatedAt: now,
    };
    await tx`insert into webhooks ${tx({
      ...row,
      events: tx.json(row.events),
      secret: encryptText(deps.rules.secret, SECRET_PURPOSE, row.id, secret),
    })}`;
    await record(tx, principal, now, {
      organizationId,
      role,
      action: 'create',
      resourceType: 'webhook',
      resourceId: row.id,
      after: summaryOf(row),
    });
    return { ...row, secret };
  });
}
