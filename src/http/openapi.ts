import type { AnyTRPCRouter } from '@trpc/server';
import { generateOpenApiDocument, type OpenApiRouter } from 'trpc-to-openapi';
import { z } from 'zod';
import type { oas31 } from 'zod-openapi';
import { LINES_TYPE } from '../api/lines.ts';
import { type Endpoint, endpointsOf } from './procedures.ts';
import { unwrap } from './query.ts';

export type OpenApiDocument = oas31.OpenAPIObject;

const DESCRIPTION = `The tenancy backend of a hosting panel.

Queries are GET with query parameters, mutations are POST with a JSON body; those that take a file take a form.

**Signing in**: send an API key as \`x-api-key\`, or \`POST /api/auth/sign-in/email\` with \`{ "email", "password" }\` and keep the session cookie that it sets. \`POST /api/auth/sign-up/email\` makes an account, \`GET /api/auth/get-session\` reads the session, \`POST /api/auth/sign-out\` ends it.

**Repeating safely**: send \`Idempotency-Key\` with a mutation, and whoever repeats it within 24 hours is given the first answer, refusals too; only 401, 429, 5xx and what has \`Retry-After\` may be tried again with the same key. Not for uploads, which repeated leave the same picture, not over tRPC, and not under \`/api/auth/\`.

**Not overwriting others**: a single read has an \`ETag\`; send it as \`If-Match\` with the update, which is refused with 412 when what it changes has changed since.

Every response names its request in the header \`x-request-id\`.`;

const TAGS: Record<string, string> = {
  apiKey: 'API keys of the caller.',
  auditLog: 'What happened in an organization.',
  customRole: 'Roles that organizations make.',
  deployment: 'Installations of the product under the license of an organization.',
  dnsRecord: 'The records of a DNS zone.',
  dnsZone: 'DNS zones of an organization.',
  invitation: 'Invitations as the invited person sees them.',
  license: 'Licenses, by which organizations have their tiers.',
  node: 'Machines that run servers.',
  organization: 'Organizations, their members and their invitations.',
  permission: 'Who may do what in an organization, and why.',
  portal: 'What there is to be had.',
  server: 'Servers of organizations.',
  session: 'Sessions of people who signed in.',
  settings: 'The installation.',
  sshKey: 'SSH keys of organizations and of the caller.',
  tunnelAllocation: 'Public ports that lead to tunnel devices.',
  tunnelDevice: 'Devices that tunnels end at, and how they are taken in.',
  user: 'Accounts.',
  webhook: 'Webhooks, which tell an organization’s own systems what happened in it.',
};

const SECURITY_SCHEMES: Record<string, oas31.SecuritySchemeObject> = {
  apiKey: { type: 'apiKey', in: 'header', name: 'x-api-key', description: 'An API key.' },
  session: {
    type: 'apiKey',
    in: 'cookie',
    name: 'better-auth.session_token',
    description: 'The cookie of POST /api/auth/sign-in/email; __Secure-better-auth.session_token over https.',
  },
};

const LICENSE = { name: 'Apache-2.0', identifier: 'Apache-2.0' };

const HEADERS: Record<string, oas31.HeaderObject> = {
  NextCursor: {
    description: 'The `cursor` of the next page; absent on the last one.',
    schema: { type: 'string', format: 'uuid' },
  },
  RetryAfter: { description: 'Seconds to wait.', schema: { type: 'integer', minimum: 1 } },
  ETag: {
    description:
      'Changes with the answer. For If-None-Match, and for If-Match of the update of what was read.',
    schema: { type: 'string' },
    example: '"Ub2sVSO7G8yQ2cYvQm6Yxw.pXbq0ZcV3k2n8yTq1y6A3w"',
  },
  IdempotencyReplayed: {
    description: 'True where this is the answer to an earlier request with the same Idempotency-Key.',
    schema: { type: 'string', enum: ['true'] },
  },
  RateLimitPolicy: {
    description:
      'Name, quota and window in seconds of the procedure’s limits; where it has none of its own, of the limit of all calls.',
    schema: { type: 'string' },
    example: '"organization.update";q=6;w=60',
  },
  RateLimit: {
    description: 'Name of each limit, calls left, and seconds until its window ends.',
    schema: { type: 'string' },
    example: '"organization.update";r=5;t=60',
  },
};

const PARAMETERS: Record<string, oas31.ParameterObject> = {
  IdempotencyKey: {
    name: 'Idempotency-Key',
    in: 'header',
    description:
      'A word of your own for this request, such as a UUID. For 24 hours a repeat with the same key and body is given the first answer: 422 with another body, 409 while the first is under way. Keys of others do not matter.',
    schema: { type: 'string', minLength: 1, maxLength: 255, pattern: '^[!-~]+$' },
  },
  IfMatch: {
    name: 'If-Match',
    in: 'header',
    description: 'ETags of a single read, or *. 412 when it has changed since.',
    schema: { type: 'string' },
  },
  IfNoneMatch: {
    name: 'If-None-Match',
    in: 'header',
    description: 'ETags of answers that you have. 304 when one of them is this answer.',
    schema: { type: 'string' },
  },
};

/** The headers that a procedure takes. */
const headerParameters = ({ type, meta, readsOne }: Endpoint): oas31.ReferenceObject[] =>
  [
    ...(type === 'mutation' && meta.upload !== true ? ['IdempotencyKey'] : []),
    ...(type === 'mutation' && meta.version !== undefined ? ['IfMatch'] : []),
    ...(readsOne ? ['IfNoneMatch'] : []),
  ].map((name) => ({ $ref: `#/components/parameters/${name}` }));

const header = (name: keyof typeof HEADERS) => ({ $ref: `#/components/headers/${name}` });
const RETRY_AFTER = { 'Retry-After': header('RetryAfter') };
const RATE_LIMIT = { 'RateLimit-Policy': header('RateLimitPolicy'), RateLimit: header('RateLimit') };

const ErrorBody = z
  .object({
    message: z.string().meta({ description: 'A sentence for people.' }),
    code: z.string().meta({ example: 'NOT_FOUND' }),
    issues: z
      .array(
        z.object({ message: z.string(), path: z.array(z.union([z.string(), z.number()])), code: z.string() }),
      )
      .optional()
      .meta({ description: 'What is wrong with the input, field by field.' }),
    data: z.object({
      code: z.string(),
      httpStatus: z.number().int(),
      path: z.string(),
      reason: z
        .string()
        .meta({ description: 'A stable word for programs.', example: 'organization_not_found' }),
    }),
  })
  .meta({ id: 'Error' });

type ErrorResponse = { description: string; headers?: Record<string, oas31.ReferenceObject> };

const ERRORS: Record<`${4 | 5}${string}`, ErrorResponse> = {
  400: { description: 'The input is invalid, or the request is.' },
  401: { description: 'Nobody is signed in, or the API key is not accepted.' },
  403: { description: 'The caller lacks the right.' },
  404: { description: 'It does not exist, or is not the caller’s.' },
  409: {
    description:
      'It conflicts with something that exists; or a request with this Idempotency-Key is under way, and Retry-After says when to come again.',
    headers: RETRY_AFTER,
  },
  412: { description: 'A rule forbids it in the present state, or it is not as If-Match requires.' },
  413: { description: 'The body is too large: JSON has at most 1 MB, a file 5 MB.' },
  415: { description: 'The body is not JSON, or where a file is wanted, not a form.' },
  422: { description: 'The Idempotency-Key was used for another request.' },
  429: {
    description: 'Too many requests; Retry-After says when to come again.',
    headers: { ...RETRY_AFTER, ...RATE_LIMIT },
  },
  500: { description: 'A fault of the service.' },
  503: {
    description:
      'The service cannot do it now, and Retry-After says when to come again; or an administrator has switched it off.',
    headers: RETRY_AFTER,
  },
};

const errorResponse = (response: ErrorResponse): oas31.ResponseObject => ({
  ...response,
  content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
});

/** Which errors a procedure can answer with: what follows from its kind; 409, 412 and 422 are for changes only. */
function errorStatuses({ type, meta }: Endpoint, hasInput: boolean): string[] {
  const isPublic = meta.access === 'public';
  return Object.keys(ERRORS).filter((status) => {
    if (status === '404') return hasInput || !isPublic; // the active organization can be missing too
    if (status === '422') return type === 'mutation' && meta.upload !== true;
    if (['409', '412', '413', '415'].includes(status)) return type === 'mutation';
    return true; // a query can be malformed, a key bad, at its limit or used from a wrong address everywhere
  });
}

/** One object with the fields of all inputs; a later input says the last word on a field, as it does for callers. */
function mergeInputs(name: string, inputs: readonly z.core.$ZodType[]): z.ZodObject | undefined {
  const objects = inputs.map((input) => {
    const schema = unwrap(input);
    if (!(schema instanceof z.ZodObject)) throw new Error(`The input of ${name} must be an object.`);
    return schema;
  });
  const [only] = objects;
  return objects.length < 2 ? only : z.object(Object.assign({}, ...objects.map(({ shape }) => shape)));
}

const contentTypeOf = ({ upload }: Endpoint['meta']): string =>
  upload === true ? 'multipart/form-data' : 'application/json';

/** A procedure as trpc-to-openapi wants it: one input, and a path and a method, which follow from name and kind. */
function describable(router: AnyTRPCRouter, { name, method, meta }: Endpoint) {
  const { _def } = router._def.procedures[name] as {
    _def: { inputs: z.core.$ZodType[]; output?: z.core.$ZodType };
  };
  if (_def.output === undefined) throw new Error(`${name} does not declare its output.`);
  const input = mergeInputs(name, _def.inputs);
  const openapi = {
    method,
    path: `/${name}`,
    operationId: name.replace('.', '-'),
    tags: name.split('.', 1),
    summary: meta.summary,
    ...(meta.description === undefined ? {} : { description: meta.description }),
    successDescription: 'Success.',
    errorResponses: [],
    contentTypes: [contentTypeOf(meta)],
    protect: meta.access !== 'public',
  };
  return { _def: { ..._def, inputs: input === undefined ? [] : [input], meta: { ...meta, openapi } } };
}

/** A description belongs to the parameter; trpc-to-openapi leaves it with the schema. */
function describeParameter(parameter: oas31.ParameterObject | oas31.ReferenceObject): void {
  if (!('schema' in parameter) || parameter.schema === undefined || !('description' in parameter.schema))
    return;
  const { description } = parameter.schema;
  if (description !== undefined) parameter.description = description;
  delete parameter.schema.description;
}

/** What trpc-to-openapi does not say of an operation: its errors, its headers, and that anybody may call it. */
function complete(operation: oas31.OperationObject, endpoint: Endpoint): void {
  const { parameters = [], requestBody, responses = {} } = operation;
  const { type, meta } = endpoint;
  const success = responses['200'] as oas31.ResponseObject;
  const content = success.content?.['application/json'];
  const schema = content?.schema as oas31.SchemaObject;
  if (endpoint.meta.lines === true && content !== undefined) success.content = { [LINES_TYPE]: content };
  const isPaged =
    schema.type === 'array' &&
    parameters.some((parameter) => 'name' in parameter && parameter.name === 'cursor');
  const headers = {
    ...(isPaged ? { 'x-next-cursor': header('NextCursor') } : {}),
    ...(endpoint.readsOne ? { ETag: header('ETag') } : {}),
    ...(type === 'mutation' && meta.upload !== true
      ? { 'Idempotency-Replayed': header('IdempotencyReplayed') }
      : {}),
    ...RATE_LIMIT,
  };
  success.headers = headers;
  if (endpoint.readsOne) {
    responses['304'] = { description: 'You have this answer.', headers: { ETag: header('ETag') } };
  }
  for (const parameter of parameters) describeParameter(parameter);
  const hasInput = parameters.length > 0 || requestBody !== undefined;
  operation.parameters = [...parameters, ...headerParameters(endpoint)];
  if (operation.parameters.length === 0) delete operation.parameters;
  for (const status of errorStatuses(endpoint, hasInput)) {
    responses[status] = { $ref: `#/components/responses/Error${status}` };
  }
  if (meta.polled === true) {
    const description =
      'Not yet, and Retry-After says when to ask again; or the input is invalid, or the request is.';
    responses['400'] = errorResponse({ description, headers: RETRY_AFTER });
  }
  if (requestBody !== undefined && 'content' in requestBody) {
    const body = requestBody.content[contentTypeOf(meta)]?.schema as oas31.SchemaObject;
    requestBody.required = (body.required ?? []).length > 0;
  }
  operation.security ??= [];
}

const FORMATS = new Set(['uuid', 'date', 'date-time']);

/** Takes out of every schema what zod's rendering says too much of. */
function tidy(node: unknown): void {
  if (typeof node !== 'object' || node === null) return;
  if (!Array.isArray(node)) {
    const schema = node as oas31.SchemaObject;
    if (FORMATS.has(schema.format ?? '')) delete schema.pattern; // the format says it
    if (schema.additionalProperties === false) delete schema.additionalProperties; // answers may grow
    if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
    if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
  }
  for (const value of Object.values(node)) tidy(value);
}

/** The OpenAPI 3.1 document of a router: paths, methods and tags follow from the procedures' names and kinds. */
export function createDocument(router: AnyTRPCRouter, version: string): OpenApiDocument {
  const endpoints = [...endpointsOf(router).values()];
  const procedures = Object.fromEntries(
    endpoints.map((endpoint) => [endpoint.name, describable(router, endpoint)]),
  );
  const document = generateOpenApiDocument(
    { _def: { ...router._def, procedures } } as unknown as OpenApiRouter,
    {
      title: 'Tenantry',
      description: DESCRIPTION,
      version,
      openApiVersion: '3.1.0',
      baseUrl: '/api',
      license: LICENSE,
      securitySchemes: SECURITY_SCHEMES,
      defs: { Error: ErrorBody },
    },
  ) as unknown as OpenApiDocument;

  document.tags = Object.entries(TAGS).map(([name, description]) => ({ name, description }));
  const responses = Object.entries(ERRORS).map(([status, response]) => [
    `Error${status}`,
    errorResponse(response),
  ]);
  document.components = {
    ...document.components,
    headers: HEADERS,
    parameters: PARAMETERS,
    responses: Object.fromEntries(responses),
  };
  for (const endpoint of endpoints) {
    const path = document.paths?.[`/${endpoint.name}`];
    const operation = endpoint.method === 'GET' ? path?.get : path?.post;
    if (operation === undefined) throw new Error(`${endpoint.name} is missing from the document.`);
    complete(operation, endpoint);
  }
  tidy(document);
  return document;
}
