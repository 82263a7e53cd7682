import { afterAll, beforeAll, expect, test } from 'vitest';
import { createHarness, type Harness, type Reply, statuses, times } from '../support/harness.ts';
import { roundsOf } from '../support/rounds.ts';
import { invite, newAddress, newRoleOf } from './stage.ts';

/* Changes of roles and of who has them, all begun before the first one goes on. */

const ROUNDS = roundsOf(5);

let h: Harness;
beforeAll(async () => {
  h = await createHarness({ MAX_ORGANIZATIONS_PER_USER: '1000' });
});
afterAll(() => h[Symbol.asyncDispose]());

async function team() {
  const org = await h.organization();
  await newRoleOf(h, org.id, 'support', ['member:read']);
  return { ...org, ada: await org.join('member') };
}
type Team = Awaited<ReturnType<typeof team>>;

const give = ({ owner, ada }: Team) =>
  owner.post('organization.updateMemberRole', { memberId: ada.memberId, role: 'support' });
const rename = ({ id, owner }: Team) =>
  owner.post('customRole.update', {
    organizationId: id,
    roleName: 'support',
    newRoleName: 'helpers',
    permissions: { member: ['read'] },
  });
const remove = ({ id, owner }: Team) =>
  owner.post('customRole.remove', { organizationId: id, roleName: 'support' });

/** Names of roles that something has and the organization does not. */
const stray = async () => h.sql`
  select role from (
    select organization_id, role from memberships
    union all select organization_id, role from invitations where status = 'pending'
    union all select id, default_role from organizations where default_role is not null) used
  where role not in ('owner', 'admin', 'member') and not exists (
    select 1 from custom_roles r where r.organization_id = used.organization_id and r.name = used.role)`;

async function race(org: Team, attempts: (() => Promise<Reply>)[]): Promise<Reply[]> {
  const replies = await h.race(org.id, attempts);
  expect(replies.filter(({ status }) => status >= 500).map(({ text }) => text)).toEqual([]);
  expect(await stray()).toEqual([]);
  return replies;
}
/** In either order, a few times. */
const orders = times(ROUNDS * 2, (round) => round % 2 === 0);

test('a role that is renamed while it is given is had by its new name, or was not given', async () => {
  for (const inOrder of orders) {
    const org = await team();
    const attempts = [() => give(org), () => rename(org)];
    const replies = await race(org, inOrder ? attempts : attempts.reverse());
    const [given, renamed] = inOrder ? replies : replies.reverse();
    expect(renamed?.status).toBe(200);
    expect([200, 400]).toContain(given?.status);
    const [row] = await h.sql<
      { role: string }[]
    >`select role from memberships where id = ${org.ada.memberId}`;
    expect(row?.role).toBe(given?.status === 200 ? 'helpers' : 'member');
  }
});

test('of removing a role and giving it, inviting to it or making it the default, one happens', async () => {
  for (const inOrder of orders) {
    for (const use of [
      give,
      ({ id, owner }: Team) =>
        owner.post('organization.inviteMember', { organizationId: id, email: newAddress(), role: 'support' }),
      ({ id, owner }: Team) =>
        owner.post('organization.update', { organizationId: id, defaultRole: 'support' }),
    ]) {
      const org = await team();
      const attempts = [() => use(org), () => remove(org)];
      const replies = await race(org, inOrder ? attempts : attempts.reverse());
      const [used, removed] = inOrder ? replies : replies.reverse();
      expect([
        [200, 412],
        [400, 200],
      ]).toContainEqual([used?.status, removed?.status]);
    }
  }
});

test('an invitation that is accepted while its role is renamed makes a member of the new name', async () => {
  for (const inOrder of orders) {
    const org = await team();
    const guest = await h.user();
    const { id: invitationId } = await invite(org.owner, org.id, guest.email, 'support');
    const attempts = [() => guest.post('invitation.accept', { invitationId }), () => rename(org)];
    const replies = await race(org, inOrder ? attempts : attempts.reverse());
    expect(statuses(replies)).toEqual([200, 200]);
    const [row] = await h.sql<{ role: string }[]>`
      select role from memberships where organization_id = ${org.id} and user_id = ${guest.id}`;
    expect(row?.role).toBe('helpers');
  }
});

test('of twelve roles made at once, ten are', async () => {
  const { id, owner } = await h.organization();
  const attempts = times(
    12,
    (n) => () =>
      owner.post('customRole.create', { organizationId: id, roleName: `role ${n}`, permissions: {} }),
  );
  expect(statuses(await h.race(id, attempts))).toEqual([...times(10, () => 200), 412, 412]);
  expect(await h.sql`select 1 from custom_roles where organization_id = ${id}`).toHaveLength(10);
});

test('of one name that is taken at once, one is had', async () => {
  const { id, owner } = await h.organization();
  const attempts = times(
    6,
    (n) => () =>
      owner.post('customRole.create', {
        organizationId: id,
        roleName: n % 2 === 0 ? 'support' : 'Support',
        permissions: {},
      }),
  );
  expect(statuses(await h.race(id, attempts))).toEqual([200, ...times(5, () => 409)]);
});

test('whoever loses a right while he waits to use it is refused', async () => {
  const org = await team();
  await newRoleOf(h, org.id, 'inviters', ['invitation:create', 'member:read']);
  const bob = await org.join('inviters');
  const attempt = () =>
    bob.post('organization.inviteMember', { organizationId: org.id, email: newAddress(), role: 'support' });
  const [reply] = await h.race(
    org.id,
    [attempt],
    (tx) =>
      tx`update custom_roles set permissions = '["member:read"]' where organization_id = ${org.id} and name = 'inviters'`,
  );
  expect([reply?.status, reply?.body.data.reason]).toEqual([403, 'permission_missing']);
});
