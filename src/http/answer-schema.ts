import { z } from 'zod';

/** FJS decides between forms at each value, slower than JSON does; no output has several so far. */
const SEVERAL_FORMS = /"(?:anyOf|oneOf|allOf)":/;

export type AnswerSchema = Record<string, unknown>;

/**
 * The JSON Schema of an output, by which fastify writes answers twice as fast as JSON.stringify does: it knows the fields,
 * and moments above all. Undefined where there is no output to know, or one of several forms.
 */
export function answerSchemaOf(output: unknown): AnswerSchema | undefined {
  if (!(output instanceof z.ZodType)) return undefined;
  const schema = z.toJSONSchema(output, {
    target: 'openapi-3.0', // null is said by `nullable`, not by several forms
    unrepresentable: 'any',
    metadata: z.registry(), // names would make references
    override({ zodSchema, jsonSchema }) {
      if (zodSchema instanceof z.ZodDate) Object.assign(jsonSchema, { type: 'string', format: 'date-time' });
    },
  });
  return SEVERAL_FORMS.test(JSON.stringify(schema)) ? undefined : { ...schema };
}
