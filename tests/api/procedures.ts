import type { z } from 'zod';
import { appRouter } from '../../src/api/root.ts';
import type { Meta } from '../../src/api/trpc.ts';
import type { Caller, Reply } from '../support/harness.ts';

type Definition = { type: 'query' | 'mutation'; inputs: z.ZodType[]; meta?: Meta };
export type Procedure = { name: string; type: Definition['type']; meta: Meta; fields: string[] };

/** The names of an object's fields, also inside default and prefault. */
function fieldsOf(schema: z.ZodType): string[] {
  const { def } = schema as unknown as { def: { innerType?: z.ZodType; shape?: Record<string, unknown> } };
  return def.innerType === undefined ? Object.keys(def.shape ?? {}) : fieldsOf(def.innerType);
}

/** Everything that the router serves. */
export const procedures: Procedure[] = Object.entries(
  appRouter._def.procedures as unknown as Record<string, { _def: Definition }>,
).map(
  ([
    name,
    {
      _def: { type, inputs, meta = {} },
    },
  ]) => ({
    name,
    type,
    meta,
    fields: [...new Set(inputs.flatMap(fieldsOf))],
  }),
);

export const mutations: string[] = procedures.flatMap(({ name, type }) =>
  type === 'mutation' ? [name] : [],
);

/** Those that change something, which is all but a few. */
export const audited: string[] = procedures.flatMap(({ name, type, meta }) =>
  type === 'mutation' && meta.audited !== false ? [name] : [],
);

/** The procedure of this name. */
export function procedureOf(name: string): Procedure {
  const found = procedures.find((procedure) => procedure.name === name);
  if (found === undefined) throw new Error(`There is no ${name}.`);
  return found;
}

export function call(
  caller: Caller,
  { name, type, meta }: Procedure,
  input: Record<string, unknown> = {},
): Promise<Reply> {
  if (meta.upload === true) return caller.form(name, input);
  return type === 'query' ? caller.get(name, input as Record<string, string>) : caller.post(name, input);
}
