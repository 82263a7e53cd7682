import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  can,
  canOnPlatform,
  GRANTABLE_ROLES,
  isPermission,
  mayGrant,
  mayInvite,
  outranks,
  PLATFORM_ROLES,
  permissionsOf,
  ROLE_NAMES,
  STATEMENTS,
} from '../../src/kernel/permissions.ts';

const EVERY = Object.entries(STATEMENTS)
  .flatMap(([resource, actions]) => actions.map((action) => `${resource}:${action}`))
  .filter(isPermission);
const role = fc.constantFrom(...ROLE_NAMES);
const permission = fc.constantFrom(...EVERY);
const keyPermissions = fc.option(fc.subarray(EVERY));

describe('roles', () => {
  test('the table, in full', () => {
    const without = (...missing: string[]) => EVERY.filter((each) => !missing.includes(each));
    expect([...permissionsOf('owner')].sort()).toEqual([...EVERY].sort());
    expect([...permissionsOf('admin')].sort()).toEqual(without('organization:delete').sort());
    expect([...permissionsOf('member')].sort()).toEqual(['member:read', 'organization:read']);
  });

  test('a higher role holds every right of a lower one', () => {
    fc.assert(
      fc.property(role, role, permission, (high, low, right) => {
        fc.pre(outranks(high, low));
        if (can(low, right)) expect(can(high, right)).toBe(true);
      }),
    );
  });

  test('nobody outranks himself, and of two roles at most one outranks the other', () => {
    fc.assert(
      fc.property(role, role, (a, b) => {
        expect(outranks(a, a)).toBe(false);
        expect(outranks(a, b) && outranks(b, a)).toBe(false);
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
      }),
    );
  });

  test('a key without permissions may do nothing', () => {
    for (const right of EVERY) expect(can('owner', right, [])).toBe(false);
  });
});

describe('granting', () => {
  test('ownership is never granted', () => {
    for (const actor of ROLE_NAMES) expect(mayGrant(actor, 'owner')).toBe(false);
    expect(GRANTABLE_ROLES).not.toContain('owner');
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
    expect(mayInvite(inviter, invited)).toBe(expected),
  );
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
