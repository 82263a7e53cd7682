import { TRPCError } from '@trpc/server';
import { z } from 'zod';

/** The media type of JSON values one to a line. */
export const LINES_TYPE = 'application/x-ndjson';

/** An answer of any length: lines of JSON, made while they are sent. */
export class Lines {
  /** Each a number of whole lines. */
  readonly chunks: AsyncIterable<string>;
  constructor(chunks: AsyncIterable<string>) {
    this.chunks = chunks;
  }
}

/** The output of a procedure that answers so; `description` says what a line is. */
export const linesOutput = (description: string) =>
  z.instanceof(Lines).meta({ override: { type: 'string' }, description });

/**
 * Pages of rows as lines, each row with the fields of `schema` and no others. The last line is `{"end":true,"rows":…}`:
 * without it the answer broke off.
 */
export async function* linesOf<T>(
  pages: AsyncIterable<readonly unknown[]>,
  schema: z.ZodType<T>,
): AsyncGenerator<string> {
  let count = 0;
  for await (const rows of pages) {
    count += rows.length;
    if (rows.length > 0) yield rows.map((row) => `${JSON.stringify(schema.parse(row))}\n`).join('');
  }
  yield `${JSON.stringify({ end: true, rows: count })}\n`;
}

export const linesRefused = (name: string) =>
  new TRPCError({
    code: 'BAD_REQUEST',
    message: `This answers in lines of JSON, over plain HTTP only: GET /api/${name}.`,
  });
