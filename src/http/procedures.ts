import type { AnyTRPCProcedure, AnyTRPCRouter } from '@trpc/server';
import type { Context } from '../api/context.ts';
import type { Meta } from '../api/trpc.ts';
import { type QueryReader, queryReader } from './query.ts';

type Call = (options: {
  ctx: Context;
  path: string;
  type: 'query' | 'mutation';
  getRawInput: () => Promise<unknown>;
  signal: AbortSignal | undefined;
  batchIndex: number;
}) => Promise<unknown>;

/** A procedure with what its plain HTTP form needs. */
export type Endpoint = {
  name: string;
  type: 'query' | 'mutation';
  /** GET for queries, POST for mutations. */
  method: 'GET' | 'POST';
  meta: Meta;
  call: Call;
  readQuery: QueryReader;
};

/** Every procedure by its dotted name. Names are looked up exactly, so a path is never a pattern. */
export function endpointsOf(router: AnyTRPCRouter): ReadonlyMap<string, Endpoint> {
  const procedures = Object.entries(router._def.procedures as Record<string, AnyTRPCProcedure>);
  return new Map(
    procedures.map(([name, procedure]) => {
      const { type, inputs, meta } = procedure._def as unknown as {
        type: Endpoint['type'];
        inputs: unknown[];
        meta?: Meta;
      };
      const endpoint: Endpoint = {
        name,
        type,
        method: type === 'query' ? 'GET' : 'POST',
        meta: meta ?? {},
        call: procedure as unknown as Call,
        readQuery: type === 'query' ? queryReader(inputs) : () => ({}),
      };
      return [name, endpoint];
    }),
  );
}
