import { type Decision, decide, type Permission, type Role } from '../../kernel/permissions.ts';
import type { Deps } from '../deps.ts';
import { requireActor, requireMembership } from '../organization/index.ts';
import type { Principal } from '../principal.ts';
import { type MemberState, memberState } from './member.ts';

/** `rule` is set where neither role nor key decides. */
export type Explanation = {
  allowed: boolean;
  permission: Permission;
  organizationId: string;
  userId: string;
  role: Role;
  /** The key that the question came with, where it is about the caller. */
  apiKeyId: string | null;
  decidedBy: Decision['by'] | 'rule';
  rule: 'account_suspended' | 'organization_inactive' | null;
  /** A sentence. */
  reason: string;
};

/** An organization that is switched off can be read, activated and deleted. */
const worksWhenInactive = (permission: Permission): boolean =>
  permission.endsWith(':read') ||
  permission === 'organization:update' ||
  permission === 'organization:delete';

const RULES = {
  account_suspended: 'The account is suspended.',
  organization_inactive: 'The organization is inactive.',
} as const;

function ruleAgainst(state: MemberState, permission: Permission): keyof typeof RULES | null {
  if (state.suspended) return 'account_suspended';
  return state.organizationActive || worksWhenInactive(permission) ? null : 'organization_inactive';
}

function reasonOf({ allowed, by }: Decision, role: Role): string {
  if (by === 'role') return `The role ${role} ${allowed ? 'allows it' : 'does not allow it'}.`;
  return allowed
    ? `The role ${role} and the API key allow it.`
    : `The role ${role} allows it, but the API key is limited to other permissions.`;
}

/**
 * Whether a member may do something, and what decides about it. About oneself every member may ask, and the API key
 * that asks is taken into account; about others who may read members.
 *
 * @throws NOT_FOUND for an organization of others and alike for who is no member; FORBIDDEN about others without
 *   member:read
 */
export async function explainPermission(
  deps: Deps,
  principal: Principal,
  input: { organizationId?: string | undefined; permission: Permission; userId?: string | undefined },
): Promise<Explanation> {
  const { permission, userId = principal.userId } = input;
  const isSelf = userId === principal.userId;
  const { organizationId } = isSelf
    ? await requireMembership(deps, principal, input.organizationId)
    : await requireActor(deps, principal, input.organizationId, 'member:read');
  const key = isSelf ? principal.key : null;
  const state = await memberState(deps, organizationId, userId);
  const role = state.grant.name;
  const asked = { permission, organizationId, userId, role, apiKeyId: key?.id ?? null };
  const decision = decide(state.grant, permission, key?.permissions);
  const rule = decision.allowed ? ruleAgainst(state, permission) : null;
  if (rule !== null) return { ...asked, allowed: false, decidedBy: 'rule', rule, reason: RULES[rule] };
  const reason = reasonOf(decision, role);
  return { ...asked, allowed: decision.allowed, decidedBy: decision.by, rule: null, reason };
}
