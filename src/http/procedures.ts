import type { AnyTRPCProcedure, AnyTRPCRouter } from '@trpc/server';
import { z } from 'zod';
import type { Context } from '../api/context.ts';
import type { Meta } from '../api/trpc.ts';
import type { Prospect } from '../domain/place.ts';
import { Id } from '../kernel/schemas.ts';
import { type AnswerSchema, answerSchemaOf } from './answer-schema.ts';
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
  /** By which a query's answer is written; made when it is first asked for. */
  answerSchema: () => AnswerSchema;
  readQuery: QueryReader;
  /** What it is going to ask, as far as an input says that nobody has checked yet. */
  prospectOf: (input: unknown) => Prospect;
};

/** Whether an output is one object, and no page of a list. */
function isSingle(output: unknown): boolean {
  const schema = output instanceof z.ZodNullable ? output.def.innerType : output;
  return schema instanceof z.ZodObject && !('items' in schema.shape);
}

function prospectReader({ place: places = [], asksSettings }: Meta): Endpoint['prospectOf'] {
  const settings = asksSettings === true;
  return (input) => {
    if (typeof input !== 'object' || input === null) return { place: null, settings };
    const named = places.find(({ field }) => Object.hasOwn(input, field));
    const id = named && Id.safeParse(Reflect.get(input, named.field)).data;
    return { place: named === undefined || id === undefined ? null : { kind: named.kind, id }, settings };
  };
}

function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
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
        answerSchema: once(() => answerSchemaOf(output)),
        readQuery: type === 'query' ? queryReader(inputs) : () => ({}),
        prospectOf: prospectReader(meta ?? {}),
      };
      return [name, endpoint];
    }),
  );
}
