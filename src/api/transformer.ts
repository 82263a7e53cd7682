import superjson, { type SuperJSONResult } from 'superjson';

/** Whether a value has superjson's form: `json`, `meta`, and nothing else. */
const isWrapped = (value: unknown): value is SuperJSONResult =>
  typeof value === 'object' &&
  value !== null &&
  Object.hasOwn(value, 'json') &&
  Object.keys(value).every((key) => key === 'json' || key === 'meta');

/** superjson that takes bare input too: Dokploy's command line sends `?input={"organizationId":…}`. */
export const bareOrSuperjson = {
  input: {
    serialize: (value: unknown) => superjson.serialize(value),
    deserialize: (value: unknown): unknown => (isWrapped(value) ? superjson.deserialize(value) : value),
  },
  output: superjson,
};
