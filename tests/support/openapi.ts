import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { Reply } from './harness.ts';

/* What openapi.json says, asked of single answers. */

export type Schema = {
  $ref?: string;
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  format?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
};
type Content = { content?: Record<string, { schema: Schema }> };
type Operation = {
  parameters?: { in?: string; name?: string; schema?: Schema }[];
  requestBody?: Content;
  responses: Record<string, { $ref?: string }>;
};

const document = JSON.parse(readFileSync(new URL('../../openapi.json', import.meta.url), 'utf8')) as {
  paths: Record<string, Record<string, Operation>>;
};
/** The same, in which an object has no other properties than those it names. */
const closed = JSON.parse(JSON.stringify(document), (_key, value: unknown) =>
  typeof value === 'object' && value !== null && 'properties' in value && !('additionalProperties' in value)
    ? { ...value, additionalProperties: false }
    : value,
);
const ajv = new Ajv2020({ strict: false, allErrors: true });
addFormats.default(ajv);
ajv.addSchema(closed, 'openapi.json');

const keysOf = (ref: string) => ref.split('/').slice(1);
const at = (keys: string[]): unknown =>
  keys.reduce<unknown>((part, key) => (part as Record<string, unknown>)[key], document);

/** What a schema refers to, or the schema itself. */
export const resolved = (schema: Schema): Schema =>
  schema.$ref === undefined ? schema : (at(keysOf(schema.$ref)) as Schema);

function operationOf(name: string): { method: string; operation: Operation } {
  const [entry] = Object.entries(document.paths[`/${name}`] ?? {});
  if (entry === undefined) throw new Error(`openapi.json has no ${name}.`);
  return { method: entry[0], operation: entry[1] };
}

/** The fields that a procedure says it takes. */
export function fieldSchemas(name: string): Record<string, Schema> {
  const { operation } = operationOf(name);
  const fields = (operation.parameters ?? []).flatMap((parameter) =>
    parameter.in === 'query' && parameter.name !== undefined && parameter.schema !== undefined
      ? [[parameter.name, parameter.schema] as const]
      : [],
  );
  const [body] = Object.values(operation.requestBody?.content ?? {});
  return { ...Object.fromEntries(fields), ...resolved(body?.schema ?? {}).properties };
}

/** What is wrong with an answer by the document: its status, its type or its body; empty when nothing is. */
export function faultsOf(name: string, reply: Reply): string[] {
  const { method, operation } = operationOf(name);
  const response = operation.responses[reply.status];
  if (response === undefined) return [`${reply.status} is not in the document: ${reply.text.slice(0, 200)}`];
  const keys =
    response.$ref === undefined
      ? ['paths', `/${name}`, method, 'responses', String(reply.status)]
      : keysOf(response.$ref);
  const type = (reply.headers.get('content-type') ?? '').split(';')[0] ?? '';
  const { content = {} } = at(keys) as Content;
  if (content[type] === undefined) return [`${reply.status} comes as ${type}`];
  const pointer = [...keys, 'content', type, 'schema'].map((key) =>
    encodeURIComponent(key.replaceAll('~', '~0').replaceAll('/', '~1')),
  );
  const validate = ajv.getSchema(`openapi.json#/${pointer.join('/')}`);
  if (validate === undefined) throw new Error(`No schema at ${keys.join('/')}.`);
  if (validate(type === 'application/json' ? reply.body : reply.text)) return [];
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}
