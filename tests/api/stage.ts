import { expect, vi } from 'vitest';
import type { Mail } from '../../src/domain/mail.ts';
import { newId } from '../../src/kernel/ids.ts';
import { hashSecret } from '../../src/kernel/secrets.ts';
import type { Harness, TestUser } from '../support/harness.ts';

/* One organization with somebody in every role, and a valid input for every procedure. */

export type Cast = Record<
  'root' | 'owner' | 'admin' | 'member' | 'target' | 'outsider' | 'foreigner' | 'host',
  TestUser
>;

/** The people, made once: `target` is a plain member, `outsider` belongs nowhere, `host` invites everybody. */
export async function createCast(h: Harness): Promise<Cast> {
  const root = await h.user(); // the first account is the rootAdmin
  const [owner, admin, member, target] = [await h.user(), await h.user(), await h.user(), await h.user()];
  const [outsider, foreigner, host] = [await h.user(), await h.user(), await h.user()];
  await leaveEverything(h, outsider);
  return { root, owner, admin, member, target, outsider, foreigner, host };
}

export async function leaveEverything(h: Harness, user: TestUser): Promise<void> {
  await h.sql`delete from organizations where owner_id = ${user.id}`;
  await h.sql`delete from memberships where user_id = ${user.id}`;
}

export type Stage = { organizationId: string; memberIds: Record<'admin' | 'member' | 'target', string> };

export async function createStage(h: Harness, cast: Cast): Promise<Stage> {
  const { id: organizationId } = await h.organization(cast.owner);
  const memberIds = { admin: newId(), member: newId(), target: newId() };
  await h.sql`insert into memberships ${h.sql([
    { id: memberIds.admin, organization_id: organizationId, user_id: cast.admin.id, role: 'admin' },
    { id: memberIds.member, organization_id: organizationId, user_id: cast.member.id, role: 'member' },
    { id: memberIds.target, organization_id: organizationId, user_id: cast.target.id, role: 'member' },
  ])}`;
  return { organizationId, memberIds };
}

let strangers = 0;
export const newAddress = (): string => `stranger${++strangers}@example.org`;

export async function invite(by: TestUser, organizationId: string, email = newAddress(), role = 'member') {
  const { status, body } = await by.post('organization.inviteMember', { organizationId, email, role });
  expect(status).toBe(200);
  return { id: body.id as string, email };
}

const PATIENCE = { timeout: 10_000, interval: 10 };

/** Resolves when so many statements wait for a lock that a test holds. */
export function untilBlocked(h: Harness, count: number): Promise<void> {
  return vi.waitFor(async () => {
    const waiting = await h.sql`select 1 from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`;
    expect(waiting).toHaveLength(count);
  }, PATIENCE);
}

/** The newest mail to an address, once it has left. */
export function mailTo(h: Harness, email: string): Promise<Mail> {
  return vi.waitFor(async () => {
    await h.app.jobs.runDue();
    // The service's own runner may have taken the job and be at it still.
    const mail = h.mails.findLast(({ to }) => to === email);
    if (mail === undefined) throw new Error(`No mail to ${email}`);
    return mail;
  }, PATIENCE);
}

const LINK = /http:\S+\/invitation\?token=([\w-]+)/;

export async function linkFor(h: Harness, email: string): Promise<string> {
  return LINK.exec((await mailTo(h, email)).text)?.[0] ?? '';
}

export async function tokenFor(h: Harness, email: string): Promise<string> {
  return LINK.exec((await mailTo(h, email)).text)?.[1] ?? '';
}

async function newKeyOf(h: Harness, holder: TestUser): Promise<string> {
  const id = newId();
  await h.sql`insert into api_keys (id, user_id, name, start, key_hash, scope)
    values (${id}, ${holder.id}, 'spare', 'spare_', ${hashSecret(id)}, 'user')`;
  return id;
}

async function someOrganizationOf(h: Harness, holder: TestUser): Promise<string> {
  const [row] = await h.sql<{ organizationId: string }[]>`
    select organization_id from memberships where user_id = ${holder.id} order by is_default desc limit 1`;
  return row?.organizationId ?? newId();
}

/** An invitation for `holder` to an organization where he is no member. */
async function invitationFor(h: Harness, cast: Cast, holder: TestUser) {
  const { id } = await h.organization(cast.host);
  return invite(cast.host, id, holder.email);
}

type Input = Record<string, unknown>;
type Setting = { h: Harness; cast: Cast; stage: Stage; holder: TestUser };

/** What `holder` could send to each procedure, were he allowed to. Made anew for each call. */
export const INPUTS: Record<string, (setting: Setting) => Input | Promise<Input>> = {
  'apiKey.all': () => ({}),
  'apiKey.create': () => ({ name: 'deploy' }),
  'apiKey.delete': async ({ h, holder }) => ({ apiKeyId: await newKeyOf(h, holder) }),
  'auditLog.all': ({ stage: { organizationId } }) => ({ organizationId }),
  'invitation.accept': async ({ h, cast, holder }) => ({
    invitationId: (await invitationFor(h, cast, holder)).id,
  }),
  'invitation.mine': () => ({}),
  'invitation.preview': async ({ h, cast }) => {
    const { id } = await h.organization(cast.host);
    return { token: await tokenFor(h, (await invite(cast.host, id)).email) };
  },
  'invitation.reject': async ({ h, cast, holder }) => ({
    invitationId: (await invitationFor(h, cast, holder)).id,
  }),
  'organization.active': () => ({}),
  'organization.all': () => ({}),
  'organization.allInvitations': ({ stage: { organizationId } }) => ({ organizationId }),
  'organization.checkHandle': () => ({ handle: 'free.example.org' }),
  'organization.create': () => ({ name: 'New' }),
  'organization.delete': ({ stage: { organizationId } }) => ({ organizationId }),
  'organization.inviteMember': ({ stage: { organizationId } }) => ({
    organizationId,
    email: newAddress(),
    role: 'member',
  }),
  'organization.one': ({ stage: { organizationId } }) => ({ organizationId }),
  'organization.removeInvitation': async ({ cast, stage }) => ({
    invitationId: (await invite(cast.owner, stage.organizationId)).id,
  }),
  'organization.setActive': ({ stage: { organizationId } }) => ({ organizationId }),
  'organization.setDefault': ({ stage: { organizationId } }) => ({ organizationId }),
  'organization.update': ({ stage: { organizationId } }) => ({ organizationId, name: 'Renamed' }),
  'organization.updateMemberRole': ({ stage }) => ({ memberId: stage.memberIds.target, role: 'admin' }),
  'settings.health': () => ({}),
  'user.createApiKey': async ({ h, holder }) => ({
    name: 'deploy',
    metadata: { organizationId: await someOrganizationOf(h, holder) },
  }),
  'user.deleteApiKey': async ({ h, holder }) => ({ apiKeyId: await newKeyOf(h, holder) }),
  'user.get': () => ({}),
  'user.one': () => ({ userId: 'me' }),
  'user.session': () => ({}),
};

/** For these the caller must belong to some organization. */
export const NEED_MEMBERSHIP = new Set(['apiKey.create', 'user.createApiKey', 'user.get']);
