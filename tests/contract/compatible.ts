/** As much of JSON Schema as inputs are made of. */
export type Schema = {
  $ref?: string;
  type?: string | string[];
  anyOf?: Schema[];
  enum?: unknown[];
  const?: unknown;
  format?: string;
  pattern?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  minItems?: number;
  maxItems?: number;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  additionalProperties?: boolean | Schema;
};
export type Resolve = (schema: Schema) => Schema;

const typesOf = ({ type }: Schema): string[] => (type === undefined ? [] : [type].flat());

/** `type: ['string', 'null']` and `anyOf` are two ways to write alternatives. */
function variantsOf(schema: Schema, resolve: Resolve): Schema[] {
  const resolved = resolve(schema);
  if (resolved.anyOf !== undefined) return resolved.anyOf.flatMap((variant) => variantsOf(variant, resolve));
  const types = typesOf(resolved);
  return types.length < 2 ? [resolved] : types.map((type) => ({ ...resolved, type }));
}

const isOfType = (ours: Schema, type: string): boolean => {
  const [our = type] = typesOf(ours);
  return our === type || (our === 'integer' && type === 'number');
};

/** What `ours` refuses of the values of one type that `theirs` allows. */
function narrower(theirs: Schema, ours: Schema, resolve: Resolve): string[] {
  const [type = ''] = typesOf(theirs);
  const found = type === 'number' && typesOf(ours)[0] === 'integer' ? ['is whole'] : [];
  const values = ours.const === undefined ? ours.enum : [ours.const];
  const theirValues = theirs.const === undefined ? theirs.enum : [theirs.const];
  if (values !== undefined && !theirValues?.every((value) => values.includes(value))) {
    found.push(`is one of ${values.join(', ')}`);
  }
  const isNarrower = ours.format !== undefined && ours.format !== 'int64'; // which every whole number is
  if (isNarrower && ours.format !== theirs.format) found.push(`is ${ours.format}`);
  // Values from a list are not text that a pattern or a length could refuse.
  if (theirValues !== undefined) return found;
  // The pattern beside a format is only one way to write that format.
  if (ours.format === undefined && ours.pattern !== undefined && ours.pattern !== theirs.pattern) {
    found.push(`matches ${ours.pattern}`);
  }
  for (const key of ['minLength', 'minimum', 'minItems'] as const) {
    const least = ours[key];
    if (
      least !== undefined &&
      least > (theirs[key] ?? Number.NEGATIVE_INFINITY) &&
      !(key !== 'minimum' && least === 0)
    ) {
      found.push(`${key} ${least}`);
    }
  }
  for (const key of ['maxLength', 'maximum', 'maxItems'] as const) {
    const most = ours[key];
    if (most !== undefined && most < (theirs[key] ?? Number.POSITIVE_INFINITY)) found.push(`${key} ${most}`);
  }
  if (theirs.items !== undefined && ours.items !== undefined) {
    found.push(...refusals(theirs.items, ours.items, resolve).map((refusal) => `[] ${refusal}`));
  }
  if (type === 'object') found.push(...narrowerObject(theirs, ours, resolve));
  return found;
}

function narrowerObject(theirs: Schema, ours: Schema, resolve: Resolve): string[] {
  const found = (ours.required ?? [])
    .filter((name) => theirs.required?.includes(name) !== true)
    .map((name) => `${name} is required`);
  for (const [name, theirProperty] of Object.entries(theirs.properties ?? {})) {
    const ourProperty = ours.properties?.[name];
    if (ourProperty === undefined) found.push(`${name} is unknown`);
    else found.push(...refusals(theirProperty, ourProperty, resolve).map((refusal) => `${name} ${refusal}`));
  }
  return found;
}

/** What a caller who keeps to `theirs` could send that `ours` refuses, a short sentence each; empty when nothing. */
export function refusals(theirs: Schema, ours: Schema, resolve: Resolve): string[] {
  const alternatives = variantsOf(ours, resolve);
  return variantsOf(theirs, resolve).flatMap((variant) => {
    const [type = ''] = typesOf(variant);
    // The alternative that refuses least answers for this kind of value; single words only where nothing else does.
    const [best] = alternatives
      .filter((alternative) => isOfType(alternative, type))
      .map((alternative) => ({
        found: narrower(variant, alternative, resolve),
        isWord: alternative.const !== undefined || alternative.enum !== undefined,
      }))
      .sort((a, b) => a.found.length - b.found.length || Number(a.isWord) - Number(b.isWord));
    return best?.found ?? [`is no ${type}`];
  });
}
