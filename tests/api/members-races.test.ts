import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../src/kernel/ids.ts';
import {
  createHarness,
  type Harness,
  PASSWORD,
  type Reply,
  type TestUser,
  times,
  UNLIMITED,
  untilServed,
} from '../support/harness.ts';
import { roundsOf } from '../support/rounds.ts';
import { invite, newAddress } from './stage.ts';

/* Whatever members do to one another at once ends as if one thing had happened after the other. */

const ROUNDS = roundsOf(4);
const CALLERS = 32;
const MAX_ORGANIZATIONS = 3;

let h: Harness;
/** The first account, then ordinary ones; each with its personal organization. */
let people: TestUser[];
const person = (index: number): TestUser => {
  const found = people[index + 1];
  if (found === undefined) throw new Error(`There are ${people.length - 1} people.`);
  return found;
};

beforeAll(async () => {
  const limits = { MAX_ORGANIZATIONS_PER_USER: String(MAX_ORGANIZATIONS) };
  h = await createHarness(limits, { rateLimiter: UNLIMITED });
  // Passwords take long to check and are not checked often; here it is what comes after that is looked at.
  h.app.deps.passwords.verify = async () => true;
  people = [await h.user(), ...(await Promise.all(times(9, () => h.user())))]; // the first is the rootAdmin
});
afterAll(() => h[Symbol.asyncDispose]());

/** What must hold in the whole database, whatever was done. Each names what is wrong. */
async function expectWhole() {
  const wrong = await h.sql`
    select 'not one owner' as problem, o.id from organizations o
    where (select array_agg(user_id) from memberships where organization_id = o.id and role = 'owner')
      is distinct from array[o.owner_id]
    union all
    select 'two memberships', user_id from memberships group by user_id, organization_id having count(*) > 1
    union all
    select 'not one default', user_id from memberships group by user_id having count(*) filter (where is_default) <> 1
    union all
    select 'two open invitations', organization_id from invitations where status = 'pending'
    group by organization_id, email having count(*) > 1
    union all
    select 'an open invitation of a member', i.id from invitations i
      join users u on u.email = i.email join memberships m on m.user_id = u.id and m.organization_id = i.organization_id
    where i.status = 'pending'
    union all
    select 'a key without its membership', k.id from api_keys k
    where k.organization_id is not null and not exists (
      select 1 from memberships m where m.user_id = k.user_id and m.organization_id = k.organization_id)
    union all
    select 'a session of who is no member', s.id from sessions s
    where s.active_organization_id is not null and exists (
      select 1 from organizations o where o.id = s.active_organization_id) and not exists (
      select 1 from memberships m where m.user_id = s.user_id and m.organization_id = s.active_organization_id)
    union all
    select 'too many organizations', owner_id from organizations group by owner_id having count(*) > ${MAX_ORGANIZATIONS}`;
  expect([...wrong]).toEqual([]);
}

/** An organization of the first person with the others as admins and members, half and half. */
async function newTeam() {
  const owner = person(0);
  const { body, status, text } = await owner.post('organization.create', { name: 'Race' });
  expect(status, text).toBe(200);
  const id: string = body.id;
  const members = times(6, (n) => ({ id: newId(), user: person(n + 1) }));
  await h.sql`insert into memberships ${h.sql(
    members.map((member, n) => ({
      ...{ id: member.id, organization_id: id, user_id: member.user.id },
      role: n % 2 === 0 ? 'admin' : 'member',
    })),
  )}`;
  const memberOf = (n: number) => members[n % members.length] ?? { id: '', user: owner };
  return { id, owner, memberOf };
}
type Team = Awaited<ReturnType<typeof newTeam>>;
type Play = (team: Team, n: number) => Promise<Reply>;

const transfer =
  (to: (n: number) => number): Play =>
  ({ id, owner, memberOf }, n) =>
    owner.post('organization.transferOwnership', {
      organizationId: id,
      memberId: memberOf(to(n)).id,
      currentPassword: PASSWORD,
    });
const leave =
  (who: (n: number) => number): Play =>
  ({ id, memberOf }, n) =>
    memberOf(who(n)).user.post('organization.leave', { organizationId: id });
const remove =
  (whom: (n: number) => number): Play =>
  ({ owner, memberOf }, n) =>
    owner.post('organization.removeMember', { memberId: memberOf(whom(n)).id });
const change =
  (whom: (n: number) => number): Play =>
  ({ owner, memberOf }, n) =>
    owner.post('organization.updateMemberRole', { memberId: memberOf(whom(n)).id, role: 'admin' });
const removeOrganization: Play = ({ id, owner }) => owner.post('organization.delete', { organizationId: id });

/** Plays by turns, 32 at once: freely, and all of them waiting for the organization before the first goes on. */
async function playAll(team: Team, plays: Play[], held: boolean): Promise<Reply[][]> {
  const calls = times(CALLERS, (n) => {
    const play = plays[n % plays.length] ?? removeOrganization;
    return () => play(team, Math.floor(n / plays.length));
  });
  const replies = held ? await h.race(team.id, calls) : await Promise.all(calls.map(untilServed));
  expect(replies.filter(({ status }) => status >= 500).map(({ text }) => text)).toEqual([]);
  return plays.map((_, part) => replies.filter((_reply, n) => n % plays.length === part));
}
const count = (replies: Reply[] = [], status = 200): number =>
  replies.filter((reply) => reply.status === status).length;

const rounds = async (play: (round: number) => Promise<void>) => {
  for (let round = 0; round < ROUNDS; round += 1) {
    await h.sql`delete from organizations where name = 'Race'`;
    await h.sql`update memberships set is_default = true where role = 'owner'`;
    await play(round);
    await expectWhole();
  }
};
/** Held in every other round. */
const byTurns = (check: (held: boolean) => Promise<void>) => rounds((round) => check(round % 2 === 1));

describe('ownership', () => {
  test('goes once, to one of those that it is transferred to at once', () =>
    byTurns(async (held) => {
      const team = await newTeam();
      const [transfers] = await playAll(team, [transfer((n) => n)], held);
      expect(count(transfers)).toBe(1);
      // Later ones find an admin instead of the owner, or the new owner where the member was.
      expect(count(transfers, 403)).toBe(CALLERS - 1);
    }));

  test('goes to nobody who leaves, and no owner leaves', () =>
    byTurns(async (held) => {
      const team = await newTeam();
      const [transfers, departures] = await playAll(team, [transfer(() => 0), leave(() => 0)], held);
      // Either the member left first, and there is nobody to transfer to, or the new owner stays.
      expect(count(transfers) + count(departures)).toBe(1);
      if (count(transfers) === 1) expect(count(departures, 412)).toBe(CALLERS / 2);
      else expect(count(transfers, 404)).toBe(CALLERS / 2);
    }));

  test('goes, or the organization does', () =>
    byTurns(async (held) => {
      const team = await newTeam();
      const [transfers, deletions] = await playAll(team, [transfer((n) => n), removeOrganization], held);
      expect(count(transfers) + count(deletions)).toBe(1);
      const left = await h.sql`select 1 from organizations where id = ${team.id}`;
      expect(left).toHaveLength(count(transfers));
    }));

  test('goes to nobody who is removed', () =>
    byTurns(async (held) => {
      const team = await newTeam();
      const [transfers, removals] = await playAll(team, [transfer(() => 0), remove(() => 0)], held);
      expect(count(transfers) + count(removals)).toBe(1);
    }));

  test('of several organizations goes to one account only as far as it may own them', () =>
    rounds(async () => {
      const teams = [await newTeam(), await newTeam()];
      const heir = person(1);
      await heir.post('organization.create', { name: 'Race' }); // with the personal one, one more is room for
      const replies = await Promise.all(
        times(CALLERS, (n) => transfer(() => 0)(teams[n % 2] ?? (teams[0] as Team), n)),
      );
      expect(replies.filter(({ status }) => status >= 500).map(({ text }) => text)).toEqual([]);
      expect(count(replies)).toBe(1);
      expect(count(replies, 412)).toBeGreaterThan(0);
    }));

  test('crosses: two hand each other theirs', () =>
    rounds(async () => {
      const pair = [person(0), person(1)];
      const teams = await Promise.all(
        pair.map(async (owner, n) => {
          const { body } = await owner.post('organization.create', { name: 'Race' });
          const memberId = newId();
          await h.sql`insert into memberships (id, organization_id, user_id, role)
            values (${memberId}, ${body.id}, ${pair[1 - n]?.id ?? ''}, 'member')`;
          return { owner, input: { organizationId: body.id, memberId, currentPassword: PASSWORD } };
        }),
      );
      const replies = await Promise.all(
        times(CALLERS, (n) => {
          const team = teams[n % 2];
          return (team?.owner ?? person(0)).post('organization.transferOwnership', team?.input);
        }),
      );
      expect(replies.filter(({ status }) => status >= 500).map(({ text }) => text)).toEqual([]);
      expect(count(replies)).toBe(2);
    }));
});

describe('a member', () => {
  test('goes once', () =>
    byTurns(async (held) => {
      const team = await newTeam();
      const [removals, departures] = await playAll(team, [remove((n) => n), leave((n) => n)], held);
      expect(count(removals) + count(departures)).toBe(6);
      expect(count(removals, 404) + count(departures, 404)).toBe(CALLERS - 6);
    }));

  test('gets another role or goes, and is not back', () =>
    byTurns(async (held) => {
      const team = await newTeam();
      const [changes, removals] = await playAll(team, [change(() => 1), remove(() => 1)], held);
      expect(count(removals)).toBe(1);
      expect(count(changes) + count(changes, 404)).toBe(CALLERS / 2);
      const left = await h.sql`select 1 from memberships where id = ${team.memberOf(1).id}`;
      expect(left).toHaveLength(0);
    }));

  test('goes while making the organization the default and the active one', () =>
    byTurns(async (held) => {
      const team = await newTeam();
      const choose =
        (name: string): Play =>
        ({ id, memberOf }) =>
          memberOf(0).user.post(name, { organizationId: id });
      const plays = [remove(() => 0), choose('organization.setDefault'), choose('apiKey.create')];
      const [removals] = await playAll(team, plays, held);
      expect(count(removals)).toBe(1);
      expect(
        await h.sql`select 1 from memberships where user_id = ${person(1).id} and is_default`,
      ).toHaveLength(1);
    }));
});

describe('a member of several organizations', () => {
  const ends: [string, Play][] = [
    ['who is removed from', remove(() => 0)],
    ['who leaves', leave(() => 0)],
  ];
  test.each(ends)('%s two of them at once has the default one in the rest', (_, end) =>
    rounds(async () => {
      const member = person(1);
      const teams = [await newTeam(), await newTeam()];
      // What is left is what is chosen last, so that each of the two is chosen before it.
      await h.sql`update organizations set active = false where owner_id = ${member.id}`;
      await member.post('organization.setDefault', { organizationId: teams[0]?.id });
      const replies = await Promise.all(teams.map((team) => end(team, 0)));
      await h.sql`update organizations set active = true where owner_id = ${member.id}`;
      expect(replies.map(({ status }) => status)).toEqual([200, 200]);
      const left = await h.sql`select is_default from memberships where user_id = ${member.id}`;
      expect([...left]).toEqual([{ isDefault: true }]);
    }),
  );
});

describe('an invitation', () => {
  const guest = () => person(8);
  async function open() {
    const team = await newTeam();
    const { id: invitationId } = await invite(team.owner, team.id, guest().email);
    await h.sql`update invitations set expires_at = expires_at - interval '1 hour' where id = ${invitationId}`;
    const accept: Play = () => guest().post('invitation.accept', { invitationId });
    const ask =
      (name: string): Play =>
      ({ owner }) =>
        owner.post(`organization.${name}`, { invitationId });
    return { team, accept, ask };
  }
  const joined = async ({ id }: Team) =>
    (await h.sql`select 1 from memberships where organization_id = ${id} and user_id = ${guest().id}`).length;

  test.each(['resendInvitation', 'invitationLink'])('is accepted once, whatever %s does', (name) =>
    byTurns(async (held) => {
      const { team, accept, ask } = await open();
      const [accepts, asked] = await playAll(team, [accept, ask(name)], held);
      expect([count(accepts), count(accepts, 404)]).toEqual([1, CALLERS / 2 - 1]);
      for (const { status } of asked ?? []) expect([200, 412, 429]).toContain(status);
      expect(await joined(team)).toBe(1);
    }),
  );

  test('is one, by the list, alone or for a member', () =>
    byTurns(async (held) => {
      const team = await newTeam();
      const emails = [newAddress(), newAddress()];
      const invitations = (turned: boolean) =>
        (turned ? [...emails].reverse() : emails).map((email) => ({ email }));
      const byList: Play = ({ id, memberOf }, n) =>
        memberOf((n % 3) * 2).user.post('organization.inviteMembers', {
          organizationId: id,
          invitations: invitations(n % 2 === 0),
        });
      const alone =
        (name: string): Play =>
        ({ id, owner }, n) =>
          owner.post(`organization.${name}`, { organizationId: id, email: emails[n % 2] });
      const replies = await playAll(team, [byList, alone('inviteMember'), alone('addMember')], held);
      const rows = replies[0]?.flatMap(({ status, body }) => (status === 200 ? body : [])) ?? [];
      const invited = rows.filter((row: { status: string }) => row.status === 'invited').length;
      expect(invited + count(replies[1]) + count(replies[2])).toBe(2);
      const pending = await h.sql`select 1 from invitations where organization_id = ${team.id}`;
      expect(pending).toHaveLength(2);
    }));

  test('falls with the organization', () =>
    byTurns(async (held) => {
      const { team, accept, ask } = await open();
      const plays = [accept, ask('invitationLink'), removeOrganization];
      const [accepts, , deletions] = await playAll(team, plays, held);
      expect(count(deletions)).toBe(1);
      expect(count(accepts)).toBeLessThanOrEqual(1);
      for (const table of ['memberships', 'invitations']) {
        expect(await h.sql`select 1 from ${h.sql(table)} where organization_id = ${team.id}`).toHaveLength(0);
      }
    }));
});
