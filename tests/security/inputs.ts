import fc from 'fast-check';
import { resolved, type Schema } from '../support/openapi.ts';

/* Values for fields: of the type that the document names, at its edges, and of none. */

const HOSTILE_TEXT = [
  ...['', ' ', '\0', '\ud800', '\u202e', '\ufeff', '🙂'.repeat(40), 'a\r\nb: c', 'İ'.repeat(64)],
  ...["' or 1=1 --", '"; drop table users; --', '%', '_', '\\', '$1', '{{7*7}}', '<script>'],
  ...[
    '../../etc/passwd',
    '/dev/null',
    'file:///etc/passwd',
    'https://127.0.0.1/',
    'https://[::ffff:10.0.0.1]/',
  ],
  ...['NaN', 'null', 'undefined', 'true', '-0', '1e999', '0x10', '٣', '__proto__', 'constructor', 'toString'],
  ...[
    'a@b',
    'a@b@c.org',
    '"a b"@example.org',
    `${'a'.repeat(64)}@${'b'.repeat(63)}.org`,
    'owner',
    'rootAdmin',
  ],
  ...['0000-01-01', '2026-02-30', '9999-12-31T23:59:59.999Z', '+275760-09-13T00:00:00.000Z', '-000001-01-01'],
  ...[
    '00000000-0000-0000-0000-000000000000',
    'ffffffff-ffff-ffff-ffff-ffffffffffff',
    'xn--',
    '*.',
    '.',
    'a'.repeat(5_000),
  ],
];
const NUMBERS = [
  0,
  -0,
  1,
  -1,
  0.5,
  1e21,
  1e308,
  -1e308,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 53 - 1,
  2 ** 53,
  -(2 ** 63),
];

const deep = (depth: number): unknown => (depth === 0 ? [] : [deep(depth - 1)]);

/** Nothing in particular. */
const anything = fc.oneof(
  fc.constantFrom<unknown>(...HOSTILE_TEXT, ...NUMBERS, null, true, false, [], {}, [null], [[]], deep(40)),
  fc.constantFrom<unknown>(
    { toString: 1 },
    { length: 1e9 },
    { constructor: { prototype: {} } },
    { $ne: null },
  ),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ unit: 'grapheme', maxLength: 300 }),
  fc.jsonValue({ maxDepth: 3 }),
);

const TYPED: Record<string, (schema: Schema) => fc.Arbitrary<unknown>> = {
  string: ({ format, minLength = 0, maxLength = 300 }) =>
    format === 'uuid'
      ? fc.uuid()
      : format === 'date' || format === 'date-time'
        ? fc
            .date({ noInvalidDate: true })
            .map((date) => date.toISOString().slice(0, format === 'date' ? 10 : 24))
        : fc.oneof(
            fc.string({ unit: 'grapheme', minLength, maxLength }),
            fc.constantFrom('a'.repeat(minLength), 'a'.repeat(maxLength), 'a'.repeat(maxLength + 1)),
            fc.constantFrom(...HOSTILE_TEXT),
          ),
  number: ({ minimum = -1e9, maximum = 1e9 }) =>
    fc.oneof(fc.double({ min: minimum, max: maximum, noNaN: true }), fc.constantFrom(...NUMBERS)),
  integer: ({ minimum = -1e9, maximum = 1e9 }) =>
    fc.oneof(
      fc.integer({ min: minimum, max: maximum }),
      fc.constantFrom(minimum, minimum - 1, maximum, maximum + 1, ...NUMBERS),
    ),
  boolean: () => fc.boolean(),
  null: () => fc.constant(null),
  array: ({ items = {} }) => fc.array(ofType(items), { maxLength: 4 }),
  object: ({ properties = {} }) =>
    fc.record(
      Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, ofType(schema)])),
      { requiredKeys: [] },
    ),
};

function ofType(given: Schema): fc.Arbitrary<unknown> {
  const schema = resolved(given);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map(ofType));
  const types = [schema.type ?? []].flat().flatMap((type) => TYPED[type]?.(schema) ?? []);
  return types.length === 0 ? anything : fc.oneof(...types);
}

/**
 * Changes of an input that is right: some fields get another value, of their own type more often than not; `idsFor` gives those
 * of things that are somebody else's. A value of undefined leaves the field out.
 */
export function changesOf(
  fields: Record<string, Schema>,
  idsFor: (field: string) => fc.Arbitrary<string>,
): fc.Arbitrary<Record<string, unknown>> {
  const valuesOf = (name: string, schema: Schema) => {
    const isId = resolved(schema).format === 'uuid';
    return fc.oneof(
      { weight: isId ? 1 : 6, arbitrary: ofType(schema) },
      { weight: isId ? 6 : 1, arbitrary: idsFor(name) },
      { weight: 2, arbitrary: anything },
      { weight: 1, arbitrary: fc.constant(undefined) },
    );
  };
  const changes = Object.entries(fields).map(([name, schema]) =>
    valuesOf(name, schema).map((value): Record<string, unknown> => ({ [name]: value })),
  );
  if (changes.length === 0) return fc.constant({});
  const change = fc.oneof(...changes);
  const several = fc
    .array(change, { minLength: 2, maxLength: 3 })
    .map((parts) => Object.assign({}, ...parts));
  return fc.oneof({ weight: 3, arbitrary: change }, { weight: 1, arbitrary: several });
}
