import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../src/kernel/ids.ts';
import {
  can,
  canOnPlatform,
  isPermission,
  type PlatformRight,
  permissionsOf,
  type Role,
} from '../../src/kernel/permissions.ts';
import { type Caller, createHarness, type Harness } from '../support/harness.ts';
import { call, type Procedure, procedures } from './procedures.ts';
import {
  type Cast,
  createCast,
  createStage,
  INPUTS,
  invite,
  leaveEverything,
  NEED_MEMBERSHIP,
  type Stage,
} from './stage.ts';

let h: Harness;
let cast: Cast;
beforeAll(async () => {
  h = await createHarness({ MAX_ORGANIZATIONS_PER_USER: '100000' });
  cast = await createCast(h);
});
afterAll(() => h[Symbol.asyncDispose]());
afterEach(async () => {
  await h.sql`delete from api_keys`; // an account has at most 100
  await leaveEverything(h, cast.outsider);
});

/** The permission that a limited key needs: of an organization's procedure, or of one of the user's. */
const rightOf = ({ meta }: Procedure) =>
  isPermission(meta.access ?? '') ? meta.access : (meta.limitedKeys ?? 'none');

const EVERY = [...permissionsOf('owner')];
const IN_ROLE = { admin: 'admin', member: 'member', owner: 'owner' } as const satisfies Record<string, Role>;

type CallerKind = {
  holder: keyof Cast | null;
  caller(stage: Stage, procedure: Procedure): Promise<Caller> | Caller;
};
const person = (holder: keyof Cast): CallerKind => ({ holder, caller: () => cast[holder] });
const ownersKey = (
  limits: (stage: Stage, procedure: Procedure) => Promise<Record<string, unknown>> | Record<string, unknown>,
): CallerKind => ({
  holder: 'owner',
  caller: async (stage, procedure) => h.key(cast.owner, await limits(stage, procedure)),
});

const CALLERS = {
  anonymous: { holder: null, caller: () => h.anonymous },
  outsider: person('outsider'),
  foreigner: person('foreigner'),
  'platform admin': person('root'),
  member: person('member'),
  admin: person('admin'),
  owner: person('owner'),
  'bound key': ownersKey(({ organizationId }) => ({ organizationId })),
  'key bound elsewhere': ownersKey(async () => ({ organizationId: (await h.organization(cast.owner)).id })),
  'key with the one permission': ownersKey(({ organizationId }, procedure) => ({
    organizationId,
    permissions: EVERY.filter((permission) => permission === rightOf(procedure)),
  })),
  'key with every other permission': ownersKey(({ organizationId }, procedure) => ({
    organizationId,
    permissions: EVERY.filter((permission) => permission !== rightOf(procedure)),
  })),
  'key with every permission, of the whole user': ownersKey(({ organizationId }) => ({
    organizationId,
    scope: 'user',
    permissions: EVERY,
  })),
  'revoked key': {
    holder: 'owner',
    async caller() {
      const key = await h.key(cast.owner);
      await cast.owner.post('apiKey.delete', { apiKeyId: key.id });
      return key;
    },
  },
} as const satisfies Record<string, CallerKind>;
type CallerName = keyof typeof CALLERS;

const ROLELESS: readonly CallerName[] = ['outsider', 'foreigner', 'platform admin', 'key bound elsewhere'];

/** Refused by its limits although its holder is not. */
function keyIsTooNarrow(name: CallerName, { meta }: Procedure): boolean {
  if (!name.includes('key')) return false;
  const limitedKeys = meta.limitedKeys ?? (isPermission(meta.access ?? '') ? 'any' : 'none');
  if (limitedKeys === 'none') return true;
  return (
    name === 'key with every other permission' && (isPermission(meta.access ?? '') || limitedKeys !== 'any')
  );
}

/** What the table of permissions says about a call. */
function expectedStatus(name: CallerName, procedure: Procedure): number {
  const { access = '' } = procedure.meta;
  if (name === 'revoked key') return 401;
  if (access === 'public') return 200;
  if (name === 'anonymous') return 401;
  if (isPermission(access)) {
    if (ROLELESS.includes(name)) return 404;
    const role: Role = name in IN_ROLE ? IN_ROLE[name as keyof typeof IN_ROLE] : 'owner';
    return can(role, access) && !keyIsTooNarrow(name, procedure) ? 200 : 403;
  }
  if (keyIsTooNarrow(name, procedure)) return 403;
  if (access.startsWith('platform:')) {
    const right = access.slice('platform:'.length) as PlatformRight;
    return canOnPlatform(name === 'platform admin' ? 'rootAdmin' : 'user', right) ? 200 : 403;
  }
  return name === 'outsider' && NEED_MEMBERSHIP.has(procedure.name) ? 404 : 200;
}

const countChanges = async (): Promise<number> => {
  const [row] = await h.sql<{ n: number }[]>`select count(*)::int as n from audit_log`;
  return row?.n ?? 0;
};

test('who may call what, and with which limited keys, is this and nothing else', () => {
  expect(
    Object.fromEntries(
      procedures.map(({ name, meta }) => [
        name,
        [meta.access, meta.limitedKeys].filter(Boolean).join(', keys: '),
      ]),
    ),
  ).toEqual({
    'apiKey.all': 'user, keys: any',
    'apiKey.create': 'user',
    'apiKey.delete': 'user',
    'auditLog.all': 'auditLog:read',
    'invitation.accept': 'user',
    'invitation.mine': 'user',
    'invitation.preview': 'public',
    'invitation.reject': 'user',
    'organization.active': 'user, keys: organization:read',
    'organization.all': 'user, keys: organization:read',
    'organization.allInvitations': 'invitation:read',
    'organization.checkHandle': 'user',
    'organization.create': 'user',
    'organization.delete': 'organization:delete',
    'organization.inviteMember': 'invitation:create',
    'organization.one': 'organization:read',
    'organization.removeInvitation': 'invitation:delete',
    'organization.setActive': 'organization:read',
    'organization.setDefault': 'organization:read, keys: none',
    'organization.update': 'organization:update',
    'organization.updateMemberRole': 'member:update',
    'settings.health': 'public',
    'user.createApiKey': 'user',
    'user.deleteApiKey': 'user',
    'user.get': 'user, keys: member:read',
    'user.one': 'user, keys: member:read',
    'user.session': 'user, keys: any',
  });
});

test('the inputs name procedures that exist', () => {
  expect(Object.keys(INPUTS).sort()).toEqual(procedures.map(({ name }) => name).sort());
});

describe.each(procedures)('$name', (procedure) => {
  const { access = 'nobody' } = procedure.meta;

  test('states who may call it', () => {
    const known = access === 'public' || access === 'user' || access.startsWith('platform:');
    expect(known || isPermission(access), access).toBe(true);
  });

  test.each(Object.keys(CALLERS) as CallerName[])('called by: %s', async (name) => {
    const { holder, caller }: CallerKind = CALLERS[name];
    const makeInput = INPUTS[procedure.name];
    if (makeInput === undefined) throw new Error(`${procedure.name} has no input in stage.ts`);
    const stage = await createStage(h, cast);
    const as = await caller(stage, procedure);
    const input = await makeInput({ h, cast, stage, holder: cast[holder ?? 'owner'] });
    const before = await countChanges();
    const reply = await call(as, procedure, input);
    const expected = expectedStatus(name, procedure);
    expect(reply.status, reply.text).toBe(expected);
    const changes = (await countChanges()) - before;
    expect(changes, 'rows in the audit log').toBe(expected === 200 && procedure.type === 'mutation' ? 1 : 0);
  });
});

/** Ids of things that exist and belong to somebody else, by the name of the field that takes them. */
async function foreignIds(): Promise<Record<string, unknown>> {
  const { organizationId, memberIds } = await createStage(h, cast);
  const { id: invitationId } = await invite(cast.owner, organizationId);
  const { id: apiKeyId } = await h.key(cast.owner, { organizationId });
  return {
    organizationId,
    memberId: memberIds.target,
    invitationId,
    apiKeyId,
    userId: cast.owner.id,
    metadata: { organizationId },
  };
}
const missingId = (field: string): unknown => (field === 'metadata' ? { organizationId: newId() } : newId());

const idsOf = ({ fields }: Procedure): string[] => fields.filter((field) => /Id$|^metadata$/.test(field));

describe('an id of somebody else answers like one that does not exist', () => {
  const cases = procedures.flatMap((procedure) =>
    idsOf(procedure).map((field) => ({ name: procedure.name, field, procedure })),
  );
  test('there are such fields', () => expect(cases.length).toBeGreaterThan(12));

  test.each(cases)('$name by $field', async ({ name, field, procedure }) => {
    const stranger = await h.user(); // new each time: some procedures are rate-limited by user
    const ids = await foreignIds();
    expect(Object.keys(ids)).toContain(field);
    const stage = await createStage(h, { ...cast, owner: stranger });
    const input = await INPUTS[name]?.({ h, cast: { ...cast, owner: stranger }, stage, holder: stranger });
    const send = (caller: Caller, id: unknown) => call(caller, procedure, { ...input, [field]: id });
    for (const caller of [stranger, await h.key(stranger)]) {
      const foreign = await send(caller, ids[field]);
      const missing = await send(caller, missingId(field));
      expect(foreign.status).toBe(missing.status);
      expect(foreign.text).toBe(missing.text);
      if (name !== 'auditLog.all' || field !== 'userId') expect([403, 404]).toContain(foreign.status);
    }
    const own = await send(stranger, input?.[field] ?? newId());
    if (input?.[field] !== undefined) expect(own.status, own.text).toBe(200);
  });
});
