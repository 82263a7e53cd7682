import { z } from 'zod';

export type AnswerSchema = Record<string, unknown>;

/**
 * The JSON Schema of an output, by which fastify writes answers twice as fast as JSON.stringify does: it knows the fields,
 * and moments above all.
 */
export function answerSchemaOf(output: unknown): AnswerSchema {
  if (!(output instanceof z.ZodType)) throw new Error('A query says what it answers.');
  const schema = z.toJSONSchema(output, {
    target: 'openapi-3.0', // null is said by `nullable`, not by several forms
    unrepresentable: 'any',
    metadata: z.registry(), // names would make references
    override({ zodSchema, jsonSchema }) {
      if (zodSchema instanceof z.ZodDate) Object.assign(jsonSchema, { type: 'string', format: 'date-time' });
    },
  });
  return { ...schema };
}
