import type { Harness } from '../support/harness.ts';
import { makeActive } from './stage.ts';

/** An organization with people in every role, which is the active one of all of them. */
export async function newTeam(h: Harness) {
  const { id, owner, join } = await h.organization();
  await makeActive(h, owner, id);
  const memberId = await memberIdOf(h, id, owner.id);
  return {
    id,
    join,
    owner: { ...owner, memberId: memberId ?? '' },
    admin: await join('admin'),
    otherAdmin: await join('admin'),
    member: await join('member'),
    otherMember: await join('member'),
  };
}
export type Team = Awaited<ReturnType<typeof newTeam>>;
export type Person = Exclude<keyof Team, 'id' | 'join'>;

export async function memberIdOf(
  h: Harness,
  organizationId: string,
  userId: string,
): Promise<string | undefined> {
  const [row] = await h.sql<{ id: string }[]>`
    select id from memberships where organization_id = ${organizationId} and user_id = ${userId}`;
  return row?.id;
}

/** The role of each member, by the account's id. */
export async function rolesOf(h: Harness, organizationId: string): Promise<Record<string, string>> {
  const rows = await h.sql<{ userId: string; role: string }[]>`
    select user_id, role from memberships where organization_id = ${organizationId}`;
  return Object.fromEntries(rows.map(({ userId, role }) => [userId, role]));
}
