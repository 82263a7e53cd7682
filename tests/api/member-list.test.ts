import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createHarness, type Harness } from '../support/harness.ts';
import { newTeam, type Team } from './team.ts';

/* The members of an organization, page by page and by what they are called. */

let h: Harness;
let team: Team;
beforeAll(async () => {
  h = await createHarness();
  await h.user(); // the first account is the rootAdmin
  team = await newTeam(h);
  const names = [
    [team.owner, 'Ada Lovelace', 'ada@example.org', 'Countess'],
    [team.admin, 'Grace Hopper', 'grace.hopper@navy.example', null],
    [team.otherAdmin, '100% Real', 'a_b@example.org', null],
    [team.member, 'Back\\slash', 'axb@example.org', null],
    [team.otherMember, 'Zoë Ångström', 'zoe@example.com', null],
  ] as const;
  for (const [{ id }, name, email, displayName] of names) {
    await h.sql`update users set ${h.sql({ name, email, display_name: displayName })} where id = ${id}`;
  }
  await h.user({ name: 'Ada Stranger', email: 'ada.stranger@example.org' });
});
afterAll(() => h[Symbol.asyncDispose]());

const namesFor = async (search: string): Promise<string[]> => {
  const { status, body, text } = await team.member.get('organization.members', {
    organizationId: team.id,
    search,
  });
  expect(status, text).toBe(200);
  return body.items.map((item: { user: { name: string } }) => item.user.name);
};

test('says who the members are, and nothing private of them', async () => {
  const { body } = await team.member.get('organization.members', { organizationId: team.id });
  expect(body.nextCursor).toBeNull();
  expect(body.items).toHaveLength(5);
  expect(body.items[0]).toEqual({
    ...{ id: team.owner.memberId, organizationId: team.id, userId: team.owner.id, role: 'owner' },
    ...{ isDefault: false, createdAt: expect.any(String) },
    user: {
      ...{ id: team.owner.id, email: 'ada@example.org', emailVerified: true, name: 'Ada Lovelace' },
      ...{ firstName: '', lastName: '', displayName: 'Countess', image: null, avatarUrl: null, role: 'user' },
      ...{ createdAt: expect.any(String), updatedAt: expect.any(String) },
    },
  });
});

test('means the active organization where none is named', async () => {
  const { body } = await team.member.get('organization.members');
  expect(body.items).toHaveLength(5);
});

test('comes in pages that meet', async () => {
  const seen: string[] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const query = { organizationId: team.id, limit: 2, ...(cursor === undefined ? {} : { cursor }) };
    const { body } = await team.member.get('organization.members', query);
    expect(body.items.length).toBeLessThanOrEqual(2);
    seen.push(...body.items.map(({ userId }: { userId: string }) => userId));
    cursor = body.nextCursor;
  }
  const { owner, admin, otherAdmin, member, otherMember } = team;
  expect(seen).toEqual([owner, admin, otherAdmin, member, otherMember].map(({ id }) => id));
});

describe('is searched', () => {
  test.each([
    ['lovelace', ['Ada Lovelace']],
    ['ADA', ['Ada Lovelace']], // and not the stranger
    ['countess', ['Ada Lovelace']],
    ['hopper@navy', ['Grace Hopper']],
    ['ÅNG', ['Zoë Ångström']],
    ['  grace ', ['Grace Hopper']],
    ['%', ['100% Real']],
    ['a_b', ['100% Real']], // and not axb@example.org
    ['\\', ['Back\\slash']],
    ["' or true --", []],
    ['nobody', []],
  ])('for %j', async (search, names) => expect(await namesFor(search)).toEqual(names));

  test('for nothing, which is everybody', async () => expect(await namesFor('')).toHaveLength(5));

  test('page by page', async () => {
    const page = (query: Record<string, string>) =>
      team.owner.get('organization.members', {
        organizationId: team.id,
        search: 'example.org',
        limit: 2,
        ...query,
      });
    const first = (await page({})).body;
    const second = (await page({ cursor: first.nextCursor })).body;
    expect([first.items.length, second.items.length, second.nextCursor]).toEqual([2, 1, null]);
  });

  test('for at most 254 characters', async () => {
    const { status } = await team.owner.get('organization.members', { search: 'a'.repeat(255) });
    expect(status).toBe(400);
  });
});
