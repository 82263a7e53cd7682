import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { isWithin } from '../../src/kernel/handles.ts';
import { newId } from '../../src/kernel/ids.ts';
import {
  createHarness,
  type Harness,
  type Reply,
  type TestUser,
  times,
  UNLIMITED,
  untilServed,
} from '../support/harness.ts';
import { roundsOf } from '../support/rounds.ts';
import { invite, newAddress, tokenFor } from './stage.ts';

/* Whatever happens at once ends as if one thing had happened after the other, and never in a 500. */

const ROUNDS = roundsOf(6);
const CALLERS = 32;
const MAX_ORGANIZATIONS = 5;

let h: Harness;
/** The first account, then ordinary ones; each with its personal organization. */
let people: TestUser[];
const person = (index: number): TestUser => {
  const found = people[index + 1];
  if (found === undefined) throw new Error(`There are ${people.length - 1} people.`);
  return found;
};

beforeAll(async () => {
  h = await createHarness(
    { MAX_ORGANIZATIONS_PER_USER: String(MAX_ORGANIZATIONS) },
    { rateLimiter: UNLIMITED },
  );
  people = [await h.user(), ...(await Promise.all(times(CALLERS, () => h.user())))];
});
afterAll(() => h[Symbol.asyncDispose]());

/** 32 calls at once. */
async function atOnce(call: (index: number) => Promise<Reply>): Promise<Reply[]> {
  return withoutFaults(await Promise.all(times(CALLERS, (index) => untilServed(() => call(index)))));
}

/** The same, all of them waiting for an organization's row before the first one goes on. */
async function held(organizationId: string, call: (index: number) => Promise<Reply>): Promise<Reply[]> {
  const attempts = times(CALLERS, (index) => () => call(index));
  return withoutFaults(await h.race(organizationId, attempts));
}

function withoutFaults(replies: Reply[]): Reply[] {
  expect(replies.filter(({ status }) => status >= 500).map(({ text }) => text)).toEqual([]);
  return replies;
}

const count = (replies: Reply[], status: number): number =>
  replies.filter((reply) => reply.status === status).length;

const rowsOf = async (table: string, organizationId: string): Promise<number> =>
  (await h.sql`select 1 from ${h.sql(table)} where organization_id = ${organizationId}`).length;

/** What must hold in the whole database, whatever was done. Each names what is wrong. */
afterEach(async () => {
  const wrong = await h.sql`
    select 'not one owner' as problem, o.id from organizations o
    where (select array_agg(user_id) from memberships where organization_id = o.id and role = 'owner')
      is distinct from array[o.owner_id]
    union all
    select 'two defaults', user_id from memberships where is_default group by user_id having count(*) > 1
    union all
    select 'two memberships', user_id from memberships group by user_id, organization_id having count(*) > 1
    union all
    select 'one handle above another', a.id
    from organizations a join organizations b on a.id <> b.id and ('.' || a.handle) like ('%.' || b.handle)
    union all
    select 'two open invitations', organization_id from invitations where status = 'pending'
    group by organization_id, email having count(*) > 1
    union all
    select 'a key without its membership', k.id from api_keys k
    where k.organization_id is not null and not exists (
      select 1 from memberships m where m.user_id = k.user_id and m.organization_id = k.organization_id)
    union all
    select 'too many organizations', owner_id from organizations group by owner_id having count(*) > ${MAX_ORGANIZATIONS}`;
  expect([...wrong]).toEqual([]);
  await h.sql`delete from organizations where name = 'Race'`;
});

async function rounds(play: (round: number) => Promise<void>): Promise<void> {
  for (let round = 0; round < ROUNDS; round += 1) await play(round);
}

const create = (user: TestUser, handle?: string) =>
  user.post('organization.create', { name: 'Race', handle });
async function organizationOf(owner: TestUser): Promise<string> {
  const { status, body, text } = await create(owner);
  expect(status, text).toBe(200);
  return body.id;
}

describe('handles', () => {
  test('one handle goes to one of 32', () =>
    rounds(async (round) => {
      const replies = await atOnce((n) => create(person(n), `one${round}.example.com`));
      expect([count(replies, 200), count(replies, 409)]).toEqual([1, CALLERS - 1]);
      await h.sql`delete from organizations where name = 'Race'`;
    }));

  test('of names above and below one another none are together, and none is refused in vain', () =>
    rounds(async (round) => {
      const top = `mix${round}.com`;
      const names = [top, `a.${top}`, `b.${top}`, `c.a.${top}`, `d.c.a.${top}`, `c.b.${top}`];
      const wanted = (n: number) => names[(n * 7 + round) % names.length] ?? top;
      const replies = await atOnce((n) => create(person(n), wanted(n)));
      const won = replies.flatMap(({ status, body }): string[] => (status === 200 ? [body.handle] : []));
      expect(new Set(won).size).toBe(won.length);
      const related = (a: string, b: string) => isWithin(a, b) || isWithin(b, a);
      for (const name of won) expect(won.filter((other) => related(name, other))).toEqual([name]);
      for (const [n, { status }] of replies.entries()) {
        if (status !== 200)
          expect([status, won.some((name) => related(name, wanted(n)))]).toEqual([409, true]);
      }
      await h.sql`delete from organizations where name = 'Race'`;
    }));
});

describe('the number of organizations', () => {
  test('does not pass its limit', () =>
    rounds(async () => {
      const replies = await atOnce(() => create(person(0)));
      expect([count(replies, 200), count(replies, 412)]).toEqual([4, CALLERS - 4]); // and the personal one
      await h.sql`delete from organizations where name = 'Race'`;
    }));

  test('does not fall to none: of two that are deleted at once one remains', () =>
    rounds(async () => {
      const ada = person(1);
      const owned = async () =>
        (
          await h.sql<{ id: string }[]>`select id from organizations where owner_id = ${ada.id} order by id`
        ).map(({ id }) => id);
      await organizationOf(ada);
      const ids = await owned();
      expect(ids).toHaveLength(2);
      const replies = await atOnce((n) => ada.post('organization.delete', { organizationId: ids[n % 2] }));
      expect(count(replies, 200)).toBe(1);
      expect(count(replies, 412) + count(replies, 404)).toBe(CALLERS - 1);
      expect(await owned()).toHaveLength(1);
    }));
});

test('of two organizations made the default at once one is', () =>
  rounds(async () => {
    const ada = person(2);
    const ids = [await organizationOf(ada), await organizationOf(ada)];
    const replies = await atOnce((n) => ada.post('organization.setDefault', { organizationId: ids[n % 2] }));
    expect(count(replies, 200)).toBe(CALLERS);
    const defaults = await h.sql<{ organizationId: string }[]>`
      select organization_id from memberships where user_id = ${ada.id} and is_default`;
    expect(defaults).toHaveLength(1);
    expect(ids).toContain(defaults[0]?.organizationId);
    await h.sql`delete from organizations where name = 'Race'`;
  }));

describe('invitations', () => {
  const guest = () => person(3);

  async function open() {
    const owner = person(4);
    const organizationId = await organizationOf(owner);
    const { id: invitationId } = await invite(owner, organizationId, guest().email);
    return { owner, organizationId, invitationId };
  }
  const isMember = async (organizationId: string): Promise<boolean> =>
    (await guest().get('organization.one', { organizationId })).status === 200;

  const inviting = async (run: typeof held) => {
    const owner = person(5);
    const organizationId = await organizationOf(owner);
    const admin = person(6);
    await h.sql`insert into memberships (id, organization_id, user_id, role)
      values (${newId()}, ${organizationId}, ${admin.id}, 'admin')`;
    const email = newAddress();
    const replies = await run(organizationId, (n) =>
      (n % 2 === 0 ? owner : admin).post('organization.inviteMember', { organizationId, email }),
    );
    expect([count(replies, 200), count(replies, 409)]).toEqual([1, CALLERS - 1]);
    expect(await rowsOf('invitations', organizationId)).toBe(1);
    await tokenFor(h, email);
    expect(h.mails.filter(({ to }) => to === email)).toHaveLength(1);
    await h.sql`delete from organizations where id = ${organizationId}`;
  };

  const accepting = async (run: typeof held) => {
    const { organizationId, invitationId } = await open();
    const replies = await run(organizationId, () => guest().post('invitation.accept', { invitationId }));
    expect([count(replies, 200), count(replies, 404)]).toEqual([1, CALLERS - 1]);
    expect(await rowsOf('memberships', organizationId)).toBe(2);
    await h.sql`delete from organizations where id = ${organizationId}`;
  };

  const answering = async (run: typeof held) => {
    const { organizationId, invitationId } = await open();
    const replies = await run(organizationId, (n) =>
      guest().post(n % 2 === 0 ? 'invitation.accept' : 'invitation.reject', { invitationId }),
    );
    expect([count(replies, 200), count(replies, 404)]).toEqual([1, CALLERS - 1]);
    const accepted = replies.some(({ status, body }) => status === 200 && body.role === 'member');
    expect(await isMember(organizationId)).toBe(accepted);
    await h.sql`delete from organizations where id = ${organizationId}`;
  };

  const removing = async (run: typeof held) => {
    const { owner, organizationId, invitationId } = await open();
    const replies = await run(organizationId, (n) =>
      n % 2 === 0
        ? guest().post('invitation.accept', { invitationId })
        : owner.post('organization.removeInvitation', { invitationId }),
    );
    const [accepts, removals] = [0, 1].map((part) => replies.filter((_, n) => n % 2 === part));
    expect(count(removals ?? [], 200)).toBe(1); // also after it was accepted: that clears the list
    expect(await isMember(organizationId)).toBe(count(accepts ?? [], 200) === 1);
    expect(count(replies, 404)).toBe(CALLERS - 1 - count(accepts ?? [], 200));
    expect(await rowsOf('invitations', organizationId)).toBe(0);
    await h.sql`delete from organizations where id = ${organizationId}`;
  };

  const unheld: typeof held = (_, call) => atOnce(call);
  const cases = { 'one address': inviting, accepting, 'accepting and rejecting': answering, removing };

  test.each(Object.entries(cases))('%s, 32 times at once', (_, play) => rounds(() => play(unheld)));
  test.each(Object.entries(cases))('%s, all waiting for the organization', (_, play) => play(held));
});

describe('a deleted organization', () => {
  async function team() {
    const owner = person(7);
    const organizationId = await organizationOf(owner);
    const members = times(4, (n) => ({ id: newId(), user: person(8 + n) }));
    await h.sql`insert into memberships ${h.sql(
      members.map(({ id, user }) => ({
        id,
        organization_id: organizationId,
        user_id: user.id,
        role: 'admin',
      })),
    )}`;
    const remove = () => owner.post('organization.delete', { organizationId });
    return { owner, organizationId, members, remove };
  }

  async function expectGone(organizationId: string, deletions: Reply[], others: Reply[]) {
    expect(count(deletions, 200)).toBe(1);
    expect(count(deletions, 404)).toBe(deletions.length - 1);
    expect(count(others, 200) + count(others, 404)).toBe(others.length);
    for (const table of ['memberships', 'invitations', 'api_keys']) {
      expect([table, await rowsOf(table, organizationId)]).toEqual([table, 0]);
    }
    const [last] = await h.sql`
      select action, resource_type from audit_log where organization_id = ${organizationId} order by id desc limit 1`;
    expect(last).toEqual({ action: 'delete', resourceType: 'organization' }); // nothing was done to it after that
  }

  const changes = {
    'a change of roles': ({ owner, members }, n) =>
      owner.post('organization.updateMemberRole', { memberId: members[n % 4]?.id, role: 'member' }),
    'an invitation': ({ owner, organizationId }) =>
      owner.post('organization.inviteMember', { organizationId, email: newAddress() }),
    'a key': ({ members, organizationId }, n) =>
      (members[n % 4]?.user ?? person(0)).post('apiKey.create', { name: 'race', organizationId }),
    'a default': ({ members, organizationId }, n) =>
      (members[n % 4]?.user ?? person(0)).post('organization.setDefault', { organizationId }),
  } satisfies Record<string, (on: Awaited<ReturnType<typeof team>>, n: number) => Promise<Reply>>;

  test.each(Object.entries(changes))('and %s at once', (_, change) =>
    rounds(async () => {
      const on = await team();
      const replies = await atOnce((n) => (n % 2 === 0 ? change(on, n / 2) : on.remove()));
      const [others, deletions] = [0, 1].map((part) => replies.filter((_, n) => n % 2 === part));
      await expectGone(on.organizationId, deletions ?? [], others ?? []);
    }),
  );

  test.each(Object.entries(changes).slice(0, 2))('and %s, all waiting for it', async (_, change) => {
    const on = await team();
    const replies = await held(on.organizationId, (n) => (n % 2 === 0 ? change(on, n / 2) : on.remove()));
    const [others, deletions] = [0, 1].map((part) => replies.filter((_, n) => n % 2 === part));
    await expectGone(on.organizationId, deletions ?? [], others ?? []);
  });
});
