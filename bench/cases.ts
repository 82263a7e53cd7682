import type { Seeded } from './seed.ts';

export type Call = {
  method: 'GET' | 'POST';
  path: string;
  headers: Record<string, string>;
  /** `[<id>]` in it becomes another text in every request. */
  body?: string;
};

export type Case = {
  name: string;
  call: (seeded: Seeded) => Call;
  /** The same question to the bare server; left out where there is nothing to compare with. */
  bare?: (seeded: Seeded) => Call;
  /** The least share of the bare server's requests per second. */
  target?: number;
  /** What is compared with the bare server's answer, and checked to be there before anything is timed. */
  rowsOf: (body: unknown) => unknown;
  /** How many rows there must be, where the answer is a list. */
  rows?: (seeded: Seeded) => number;
};

const byCookie = ({ cookie }: Seeded) => ({ cookie });
const byKey = ({ key }: Seeded) => ({ 'x-api-key': key });

const get = (path: string, headersOf: (seeded: Seeded) => Record<string, string>) => (seeded: Seeded) => ({
  method: 'GET' as const,
  path,
  headers: headersOf(seeded),
});

const plain = (body: unknown) => body;
const ofTrpc = (body: unknown) => (body as { result: { data: { json: unknown } } }).result.data.json;

const list = { rows: ({ organizations }: Seeded) => organizations };

/** Everything that is measured. */
export const CASES: readonly Case[] = [
  {
    name: 'organization.all, /api, cookie',
    call: get('/api/organization.all', byCookie),
    bare: get('/organization.all', byCookie),
    target: 0.5,
    rowsOf: plain,
    ...list,
  },
  {
    name: 'organization.all, /api, key',
    call: get('/api/organization.all', byKey),
    bare: get('/organization.all', byKey),
    target: 0.5,
    rowsOf: plain,
    ...list,
  },
  {
    name: 'organization.all, /api/trpc, cookie',
    call: get('/api/trpc/organization.all', byCookie),
    bare: get('/organization.all', byCookie),
    target: 0.25,
    rowsOf: ofTrpc,
    ...list,
  },
  {
    name: 'organization.all, /api/trpc, key',
    call: get('/api/trpc/organization.all', byKey),
    bare: get('/organization.all', byKey),
    target: 0.25,
    rowsOf: ofTrpc,
    ...list,
  },
];
