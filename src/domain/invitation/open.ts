import type { Transaction } from '../../db/client.ts';
import { conflict, type DomainError } from '../../kernel/errors.ts';
import { newId } from '../../kernel/ids.ts';
import { mayGrant, type Role, type RoleGrant } from '../../kernel/permissions.ts';
import { hashSecret } from '../../kernel/secrets.ts';
import type { Deps, RateLimiter } from '../deps.ts';
import { enqueueAll } from '../job/index.ts';
import { findRoles, notGrantable, unknownRole } from '../organization/index.ts';
import type { OrganizationActor } from '../principal.ts';
import { type Invitation, LIFETIME_MS } from './invitation.ts';
import { mailRefusal } from './mail-limit.ts';
import { inviterRole, type Standing, stands } from './standing.ts';
import { invitationToken } from './token.ts';

/** Without a role it is the organization's default one, or member. */
export type Wanted = { email: string; role?: Role | undefined };
export type Outcome = { email: string; invitation: Invitation } | { email: string; refusal: DomainError };

type Open = Standing & { id: string; email: string; expiresAt: Date };

const membersAmong = (tx: Transaction, organizationId: string, emails: string[]) => tx<{ email: string }[]>`
  select u.email from memberships m join users u on u.id = m.user_id
  where m.organization_id = ${organizationId} and u.email = any(${emails})`;

const openAmong = (tx: Transaction, organizationId: string, emails: string[]) => tx<Open[]>`
  select i.id, i.email, i.role, i.expires_at, ${inviterRole(tx)} as inviter_role
  from invitations i
  where i.organization_id = ${organizationId} and i.email = any(${emails}) and i.status = 'pending'`;

/** What an address has been through before it is its turn. */
type Known = {
  members: Set<string>;
  open: Map<string, Open>;
  roles: Map<Role, RoleGrant>;
  taken: Set<string>;
};

function refusalOf(actor: OrganizationActor, email: string, role: Role, known: Known, now: Date) {
  if (known.taken.has(email)) return conflict('duplicate', 'This address is in the list twice.', 'email');
  const granted = known.roles.get(role);
  if (granted === undefined) return unknownRole('role');
  if (!mayGrant(actor.grant, granted)) return notGrantable('invite to');
  if (known.members.has(email)) {
    return conflict('already_member', 'This address belongs to a member.', 'email');
  }
  const open = known.open.get(email);
  if (open !== undefined && open.expiresAt > now && stands(open)) {
    return conflict('already_invited', 'This address already has an open invitation.', 'email');
  }
  return undefined;
}

/**
 * Opens an invitation for each address that can have one and has their mails sent, in as many statements for a hundred
 * as for one. An invitation before that has expired, or that its inviter could not make now, is closed. An address that
 * was sent too many is refused, by `limiter`. The caller holds the organization's row and writes the audit row.
 */
export async function openInvitations(
  tx: Transaction,
  deps: Deps,
  organization: { id: string; defaultRole: Role | null },
  actor: OrganizationActor,
  wanted: Wanted[],
  limiter: RateLimiter,
): Promise<Outcome[]> {
  const now = deps.now();
  const emails = wanted.map(({ email }) => email);
  const [members, open, roles] = await Promise.all([
    membersAmong(tx, organization.id, emails),
    openAmong(tx, organization.id, emails),
    findRoles(tx, organization.id),
  ]);
  const known: Known = {
    members: new Set(members.map(({ email }) => email)),
    open: new Map(open.map((row) => [row.email, row])),
    roles,
    taken: new Set(),
  };
  const decide = async ({ email, role = organization.defaultRole ?? 'member' }: Wanted): Promise<Outcome> => {
    const forbidding = refusalOf(actor, email, role, known, now);
    known.taken.add(email);
    const refusal = forbidding ?? (await mailRefusal(limiter, actor.principal.userId, email));
    if (refusal !== undefined) return { email, refusal };
    const invitation: Invitation = {
      ...{ id: newId(), organizationId: organization.id, email, role, status: 'pending' },
      ...{ inviterId: actor.principal.userId, createdAt: now },
      expiresAt: new Date(now.getTime() + LIFETIME_MS),
    };
    return { email, invitation };
  };
  const outcomes = await Promise.all(wanted.map(decide));
  const invitations = outcomes.flatMap((outcome) => ('invitation' in outcome ? [outcome.invitation] : []));
  if (invitations.length === 0) return outcomes;

  const spent = invitations.flatMap(({ email }) => known.open.get(email)?.id ?? []);
  if (spent.length > 0) {
    await tx`update invitations set status = case when expires_at > ${now} then 'canceled' else 'expired' end
      where id in ${tx(spent)}`;
  }
  const tokenVersion = 1;
  const rows = invitations.map((invitation) => ({
    ...invitation,
    tokenVersion,
    tokenHash: hashSecret(invitationToken(deps.rules, invitation.id, tokenVersion)),
  }));
  const mails = invitations.map(({ id }) => ({ invitationId: id, tokenVersion }));
  await Promise.all([tx`insert into invitations ${tx(rows)}`, enqueueAll(tx, 'mail.invitation', mails, now)]);
  return outcomes;
}
