import type { AnyTRPCProcedure, AnyTRPCRouter } from '@trpc/server';
import { z } from 'zod';
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
  /** Whether it reads one thing rather than a list. */
  readsOne: boolean;
  call: Call;
  readQuery: QueryReader;
};

/** Whether an output is one object, and no page of a list. */
function isSingle(output: unknown): boolean {
  const schema = output instanceof z.ZodNullable ? output.def.innerType : output;
  return schema instanceof z.ZodObject && !('items' in schema.shape);
}

/** Every procedure by its dotted name. Names are looked up exactly, so a path is never a pattern. */
export function endpointsOf(router: AnyTRPCRouter): ReadonlyMap<string, Endpoint> {
  const procedures = Object.entries(router._def.procedures as Record<string, AnyTRPCProcedure>);
  return new Map(
    procedures.map(([name, procedure]) => {
      const { type, inputs, output, meta } = procedure._def as unknown as {
        type: Endpoint['type'];
        inputs: unknown[];
        output?: unknown;
        meta?: Meta;
      };
      const endpoint: Endpoint = {
        name,
        type,
        method: type === 'query' ? 'GET' : 'POST',
        meta: meta ?? {},
        readsOne: type === 'query' && isSingle(output),
        call: procedure as unknown as Call,
        readQuery: type === 'query' ? queryReader(inputs) : () => ({}),
      };
      return [name, endpoint];
    }),
  );
}
