import { type Owner, PASSWORD, type Seeded } from './seed.ts';

export type Call = {
  method: 'GET' | 'POST';
  path: string;
  headers: Record<string, string>;
  /** `[<id>]` in it becomes another text in every request. */
  body?: string;
};

/** What the service is compared with, as report.ts explains. */
export type Baseline = 'bare' | 'adapters' | 'better-auth' | '10,000 users' | 'page 1';

export type Contest = {
  baseline: Baseline;
  calls: (seeded: Seeded) => Call[];
  /** The least share of the baseline's requests per second. */
  target?: number;
};

export type Case = {
  name: string;
  /** Sent in turns; every connection has its part of them. */
  calls: (seeded: Seeded) => Call[];
  against: Contest[];
  /** The rows of an answer of the service: the baselines must answer as many. */
  rowsOf?: (body: unknown) => unknown;
  /** 32 unless something else is said. */
  connections?: number;
};

type Who = 'cookie' | 'key';
const headersOf = (seeded: Seeded, who: Who): Record<string, string> =>
  who === 'cookie' ? { cookie: seeded.cookie } : { 'x-api-key': seeded.key };

const get =
  (who: Who, path: string) =>
  (seeded: Seeded): Call[] => [
    { method: 'GET', path: path.replace('{id}', seeded.organizationId), headers: headersOf(seeded, who) },
  ];

/** The same by every owner in turns: no two of them share anything. */
const getByAll =
  (path: string) =>
  ({ owners }: Seeded): Call[] =>
    owners.map(({ cookie }) => ({ method: 'GET', path, headers: { cookie } }));

/** Every owner in turns, so that no limit of one caller is met. */
const post =
  (path: string, bodyOf: (owner: Owner) => Record<string, unknown>, origin = false) =>
  ({ owners }: Seeded): Call[] =>
    owners.map((owner, index) => ({
      method: 'POST',
      path,
      headers: {
        'content-type': 'application/json',
        cookie: owner.cookie,
        'x-forwarded-for': `10.0.${index >> 8}.${index & 255}`,
        ...(origin ? { origin: 'http://localhost:3000' } : {}),
      },
      body: JSON.stringify(bodyOf(owner)),
    }));

const plain = (body: unknown) => body;
const items = (body: unknown) => (body as { items: unknown }).items;
const ofTrpc = (body: unknown) => (body as { result: { data: { json: unknown } } }).result.data.json;

const input = encodeURIComponent(JSON.stringify({ json: { organizationId: 'ID' } })).replace('ID', '{id}');
const TIMES = { cookie: 12, key: 25 };

/** A read, by plain HTTP and, where `trpc` says so, over tRPC. */
function read(
  name: string,
  query: string,
  betterAuth: string,
  rowsOf: ((body: unknown) => unknown) | undefined,
  adapted: boolean,
): Case[] {
  return (['cookie', 'key'] as const).flatMap((who): Case[] => {
    const bare = get(who, `/${name}${query}`);
    const ofPlain: Case = {
      name: `${name}, /api, ${who}`,
      calls: get(who, `/api/${name}${query}`),
      against: [
        { baseline: 'bare', calls: bare, target: 0.65 },
        {
          baseline: 'better-auth',
          calls: get(who, `/api/auth/organization/${betterAuth}`),
          target: TIMES[who],
        },
        ...(adapted && query === ''
          ? [{ baseline: 'adapters' as const, calls: get(who, `/api/${name}${query}`) }]
          : []),
      ],
      ...(rowsOf === undefined ? {} : { rowsOf }),
    };
    if (!adapted) return [ofPlain];
    const trpc = get(who, `/api/trpc/${name}${query === '' ? '' : `?input=${input}`}`);
    const ofTrpcCall: Case = {
      name: `${name}, /api/trpc, ${who}`,
      calls: trpc,
      against: [
        { baseline: 'bare', calls: bare, target: 0.5 },
        { baseline: 'adapters', calls: trpc },
      ],
      ...(rowsOf === undefined ? {} : { rowsOf: ofTrpc }),
    };
    return [ofPlain, ofTrpcCall];
  });
}

const ID = '?organizationId={id}';

/** Everything that is measured. */
export const CASES: readonly Case[] = [
  ...read('organization.all', '', 'list', plain, true),
  ...read('organization.one', ID, `get-full-organization${ID}&membersLimit=1`, undefined, true),
  ...read('organization.members', ID, `list-members${ID}&limit=50`, items, false),
  ...read('organization.allInvitations', ID, `list-invitations${ID}`, plain, false),
  {
    name: 'organization.all, /api, cookies of 2,000 callers',
    calls: getByAll('/api/organization.all'),
    against: [
      { baseline: 'bare', calls: getByAll('/organization.all'), target: 0.65 },
      { baseline: 'better-auth', calls: getByAll('/api/auth/organization/list'), target: TIMES.cookie },
    ],
  },
  {
    name: 'organization.all, /api, cookie, 1 connection',
    connections: 1,
    calls: get('cookie', '/api/organization.all'),
    against: [
      { baseline: 'bare', calls: get('cookie', '/organization.all') },
      { baseline: 'better-auth', calls: get('cookie', '/api/auth/organization/list') },
    ],
  },
  {
    name: 'organization.create',
    calls: post('/api/organization.create', () => ({ name: 'Made [<id>]' })),
    against: [
      {
        baseline: 'better-auth',
        calls: post('/api/auth/organization/create', () => ({ name: 'Made', slug: 'made-[<id>]' }), true),
        target: 6,
      },
    ],
  },
  {
    name: 'organization.inviteMember',
    calls: post('/api/organization.inviteMember', ({ organizationId }) => ({
      ...{ organizationId, email: 'guest-[<id>]@example.net', role: 'member' },
    })),
    against: [
      {
        baseline: 'better-auth',
        calls: post(
          '/api/auth/organization/invite-member',
          ({ organizationId }) => ({ organizationId, email: 'guest-[<id>]@example.net', role: 'member' }),
          true,
        ),
        target: 5,
      },
    ],
  },
  {
    name: 'organization.updateMemberRole',
    calls: (seeded) => [
      ...post('/api/organization.updateMemberRole', ({ memberId }) => ({ memberId, role: 'admin' }))(seeded),
      ...post('/api/organization.updateMemberRole', ({ memberId }) => ({ memberId, role: 'member' }))(seeded),
    ],
    against: [
      {
        baseline: 'better-auth',
        calls: (seeded) => {
          const change = (role: string) =>
            post(
              '/api/auth/organization/update-member-role',
              ({ organizationId, memberId }) => ({ organizationId, memberId, role }),
              true,
            )(seeded);
          return [...change('admin'), ...change('member')];
        },
      },
    ],
  },
  {
    name: 'server.create',
    calls: post('/api/server.create', ({ organizationId }) => ({
      ...{ organizationId, name: 'new', memoryMb: 512, diskMb: 512, cpuPercent: 1 },
    })),
    against: [],
  },
  {
    name: 'dnsRecord.create',
    calls: post('/api/dnsRecord.create', ({ organizationId, zoneId }) => ({
      ...{ organizationId, zoneId, name: 'h[<id>]h', type: 'TXT', content: 'made' },
    })),
    against: [],
  },
  {
    name: 'sign-in, 1 connection',
    connections: 1,
    calls: ({ owners }) =>
      owners.map(({ email }, index) => ({
        method: 'POST',
        path: '/api/auth/sign-in/email',
        headers: {
          'content-type': 'application/json',
          'x-forwarded-for': `10.1.${index >> 8}.${index & 255}`,
        },
        body: JSON.stringify({ email, password: PASSWORD }),
      })),
    against: [
      {
        baseline: 'better-auth',
        calls: ({ owners }) =>
          owners.map(({ email }) => ({
            method: 'POST',
            path: '/api/auth/sign-in/email',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify({ email, password: PASSWORD }),
          })),
      },
    ],
  },
];

/** The least share of its requests per second that the service keeps with many users. */
const KEPT = 0.85;

const page = (cursor: string) => `/api/organization.members${ID}&limit=100${cursor}`;

/** The same cases with many users, against few; and the last page of a long list, against its first. */
export const ofUsers = (cases: readonly Case[]): Case[] => [
  ...cases
    .filter(({ name }) => !name.includes('sign-in'))
    .map(
      ({ against: _, ...one }): Case => ({
        ...one,
        against: [{ baseline: '10,000 users', calls: one.calls, target: KEPT }],
      }),
    ),
  {
    name: 'organization.members, page 1,000 of 100,000 members',
    calls: (seeded) => get('cookie', page(`&cursor=${seeded.lastPage}`))(seeded),
    against: [{ baseline: 'page 1', calls: get('cookie', page('')), target: KEPT }],
    rowsOf: items,
  },
];
