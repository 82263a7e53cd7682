import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  byResource,
  can,
  canOnPlatform,
  decide,
  giveableStatements,
  isPermission,
  mayGrant,
  mayInvite,
  outranks,
  PLATFORM_ROLES,
  ROLE_NAMES,
  roleOf,
  STATEMENTS,
} from '../../src/kernel/permissions.ts';

const EVERY = Object.entries(STATEMENTS)
  .flatMap(([resource, actions]) => actions.map((action) => `${resource}:${action}`))
  .filter(isPermission);
const builtIn = fc.constantFrom(...ROLE_NAMES).map((name) => roleOf(name));
const custom = fc.subarray(EVERY).map((permissions) => roleOf('support', permissions));
const role = fc.oneof(builtIn, custom);
const permission = fc.constantFrom(...EVERY);
const keyPermissions = fc.option(fc.subarray(EVERY));

describe('roles', () => {
  test('the table, in full', () => {
    const without = (...missing: string[]) => EVERY.filter((each) => !missing.includes(each));
    expect([...roleOf('owner').permissions].sort()).toEqual([...EVERY].sort());
    expect([...roleOf('admin').permissions].sort()).toEqual(without('organization:delete').sort());
    expect([...roleOf('member').permissions].sort()).toEqual([
      ...['customRole:read', 'deployment:read', 'dnsRecord:read', 'dnsZone:read', 'member:read'],
      ...['organization:read', 'server:read', 'sshKey:read', 'tunnel:read'],
    ]);
  });

  test('a custom role is what was put into it, without what is the owner’s alone and what is no permission', () => {
    fc.assert(
      fc.property(fc.subarray(EVERY), (given) => {
        const giveable = given.filter((each) => each !== 'organization:delete');
        expect([...roleOf('support', [...given, 'organization:fly']).permissions].sort()).toEqual(
          giveable.sort(),
        );
      }),
    );
    expect(roleOf('support').permissions.size).toBe(0);
    expect(roleOf('member', EVERY)).toBe(roleOf('member'));
  });

  test('a custom role is between admin and member, and equal to every other one', () => {
    expect([outranks('owner', 'support'), outranks('admin', 'support')]).toEqual([true, true]);
    expect([outranks('support', 'member'), outranks('support', 'sales')]).toEqual([true, false]);
    expect([outranks('support', 'admin'), outranks('member', 'support')]).toEqual([false, false]);
  });

  test('a higher built-in role holds every right of a lower one', () => {
    fc.assert(
      fc.property(builtIn, builtIn, permission, (high, low, right) => {
        fc.pre(outranks(high.name, low.name));
        if (can(low, right)) expect(can(high, right)).toBe(true);
      }),
    );
  });

  test('nobody outranks himself, and of two roles at most one outranks the other', () => {
    fc.assert(
      fc.property(role, role, (a, b) => {
        expect(outranks(a.name, a.name)).toBe(false);
        expect(outranks(a.name, b.name) && outranks(b.name, a.name)).toBe(false);
      }),
    );
  });
});

describe('keys', () => {
  test('a key may do what its holder may do and it was given, never more', () => {
    fc.assert(
      fc.property(role, permission, keyPermissions, (holder, right, given) => {
        const expected = can(holder, right) && (given === null || given.includes(right));
        expect(can(holder, right, given)).toBe(expected);
        const by = can(holder, right) && given !== null ? 'key' : 'role';
        expect(decide(holder, right, given)).toEqual({ allowed: expected, by });
      }),
    );
  });

  test('a key without permissions may do nothing', () => {
    for (const right of EVERY) expect(can(roleOf('owner'), right, [])).toBe(false);
  });
});

describe('granting', () => {
  test('ownership is never granted', () => {
    for (const actor of ROLE_NAMES) expect(mayGrant(roleOf(actor), roleOf('owner'))).toBe(false);
  });

  test('nobody grants a right that he lacks', () => {
    fc.assert(
      fc.property(role, role, permission, (actor, granted, right) => {
        fc.pre(mayGrant(actor, granted) && can(granted, right));
        expect(can(actor, right)).toBe(true);
      }),
    );
  });

  test.each([
    ['owner', 'admin', true],
    ['owner', 'member', true],
    ['owner', 'owner', false],
    ['admin', 'admin', true],
    ['admin', 'owner', false],
    ['member', 'admin', false],
    ['member', 'member', false], // holds the rights, but not the one to invite
  ] as const)('%s invites to %s: %s', (inviter, invited, expected) =>
    expect(mayInvite(roleOf(inviter), roleOf(invited))).toBe(expected),
  );
});

test('permissions by resource are in the order of the table, without what is empty', () => {
  expect(byResource(['sshKey:delete', 'member:read', 'sshKey:read'])).toEqual({
    member: ['read'],
    sshKey: ['read', 'delete'],
  });
  expect(giveableStatements()).toEqual({ ...STATEMENTS, organization: ['read', 'update'] });
});

describe('names', () => {
  test.each(['organization:read', 'invitation:create', 'auditLog:read'])('%s is a permission', (text) =>
    expect(isPermission(text)).toBe(true),
  );
  test.each([
    'organization',
    'organization:*',
    '*',
    'organization:fly',
    'Organization:read',
    'user.readAny',
    'constructor',
    '__proto__',
    '',
  ])('%j is none', (text) => expect(isPermission(text)).toBe(false));
});

test('platform rights belong to platform roles alone', () => {
  const holders = (right: Parameters<typeof canOnPlatform>[1]) =>
    PLATFORM_ROLES.filter((each) => canOnPlatform(each, right));
  expect(holders('user.readAny')).toEqual(['staff', 'admin', 'rootAdmin']);
  expect(holders('organization.unlimited')).toEqual(['admin', 'rootAdmin']);
});
