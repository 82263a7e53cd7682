import type { AnyTRPCRouter } from '@trpc/server';
import { generateOpenApiDocument, type OpenApiRouter } from 'trpc-to-openapi';
import { z } from 'zod';
import { type Endpoint, endpointsOf } from './procedures.ts';

type Json = Record<string, unknown>;
type Operation = Json & { responses: Record<string, Json> };
export type OpenApiDocument = Json & { paths: Record<string, Record<string, Operation>> };

const TAGS: Record<string, string> = {
  apiKey: 'API keys of the caller.',
  auditLog: 'What happened in an organization.',
  invitation: 'Invitations as the invited person sees them.',
  organization: 'Organizations, their members and their invitations.',
  settings: 'The installation.',
  user: 'Accounts.',
};

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

const RESPONSES: Record<string, string> = {
  400: 'The input is invalid.',
  401: 'Nobody is signed in, or the API key is not accepted.',
  403: 'The caller lacks the right.',
  404: 'It does not exist, or is not the caller’s.',
  409: 'It conflicts with something that exists.',
  412: 'A rule forbids it in the present state.',
  413: 'The body is larger than 1 MB.',
  415: 'The body is not JSON.',
  429: 'Too many requests; Retry-After says when to come again.',
  500: 'A fault of the service.',
  503: 'The service cannot do it now; Retry-After says when to come again.',
};

const retryAfter = { description: 'Seconds to wait.', schema: { type: 'integer', minimum: 1 } };

/** Which errors a procedure can answer with: what follows from its kind; 409 and 412 are for changes only. */
function errorStatuses({ type, meta }: Endpoint, hasInput: boolean): string[] {
  const isPublic = meta.access === 'public';
  const isOrganization = !isPublic && meta.access !== 'user' && meta.access?.startsWith('platform:') !== true;
  return Object.keys(RESPONSES).filter((status) => {
    if (status === '400') return hasInput || type === 'mutation';
    if (status === '403') return !isPublic;
    if (status === '404') return hasInput || isOrganization;
    if (['409', '412', '413', '415'].includes(status)) return type === 'mutation';
    return true; // a bad key is refused everywhere; a limited key can be at its limit everywhere
  });
}

/** The procedures as trpc-to-openapi wants them: with a path and a method, both derived from name and type. */
function describable(router: AnyTRPCRouter, endpoints: ReadonlyMap<string, Endpoint>): OpenApiRouter {
  const procedures = Object.fromEntries(
    [...endpoints.values()].map(({ name, method, meta }) => {
      const { _def } = router._def.procedures[name] as { _def: Json };
      const openapi = {
        method,
        path: `/${name}`,
        operationId: name.replace('.', '-'),
        tags: [name.split('.')[0]],
        summary: meta.summary,
        ...(meta.description === undefined ? {} : { description: meta.description }),
        protect: meta.access !== 'public',
        errorResponses: [],
      };
      return [name, { _def: { ..._def, meta: { ...meta, openapi } } }];
    }),
  );
  return { _def: { ...router._def, procedures } } as unknown as OpenApiRouter;
}

/** The OpenAPI 3.1 document of a router. */
export function createDocument(router: AnyTRPCRouter, version: string): OpenApiDocument {
  const endpoints = endpointsOf(router);
  const document = generateOpenApiDocument(describable(router, endpoints), {
    title: 'Tenantry',
    version,
    openApiVersion: '3.1.0',
    baseUrl: '/api',
    description:
      'The tenancy backend of a hosting panel. Queries are GET with query parameters, mutations are POST with a JSON body.',
    license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } as { name: string },
    securitySchemes: {
      apiKey: { type: 'apiKey', in: 'header', name: 'x-api-key', description: 'An API key.' },
      session: {
        type: 'apiKey',
        in: 'cookie',
        name: 'better-auth.session_token',
        description:
          'The cookie of POST /api/auth/sign-in/email; __Secure-better-auth.session_token over https.',
      },
    },
    defs: { Error: ErrorBody },
  }) as unknown as OpenApiDocument & { components: Json; tags: unknown };

  document.tags = Object.entries(TAGS).map(([name, description]) => ({ name, description }));
  document.components.responses = Object.fromEntries(
    Object.entries(RESPONSES).map(([status, description]) => [
      `Error${status}`,
      {
        description,
        ...(status === '429' || status === '503' ? { headers: { 'Retry-After': retryAfter } } : {}),
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
      },
    ]),
  );
  for (const endpoint of endpoints.values()) {
    const operation = document.paths[`/${endpoint.name}`]?.[endpoint.method.toLowerCase()];
    if (operation === undefined) throw new Error(`${endpoint.name} is missing from the document.`);
    const hasInput = operation.parameters !== undefined || operation.requestBody !== undefined;
    for (const status of errorStatuses(endpoint, hasInput)) {
      operation.responses[status] = { $ref: `#/components/responses/Error${status}` };
    }
    operation.security ??= [];
  }
  return document;
}
