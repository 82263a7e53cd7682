import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { refusals, type Schema } from './compatible.ts';

type Parameter = { name: string; in: string; required?: boolean; schema: Schema };
type Operation = {
  operationId: string;
  parameters?: Parameter[];
  requestBody?: { required?: boolean; content: Record<string, { schema: Schema }> };
  responses: Record<string, object>;
};
type Document = {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
};

const read = (name: string) => JSON.parse(readFileSync(new URL(name, import.meta.url), 'utf8')) as Document;
/** What Dokploy 0.30.2 says of the procedures that we serve; its errors and empty answers left out. */
const dokploy = read('./dokploy-0.30.2.json');
const tenantry = read('../../openapi.json');

const whole = (name: string, ...bounds: string[]) =>
  ['is whole', ...bounds].map((bound) => `${name} ${bound}`);

/** Where we refuse what Dokploy takes, and mean to. Maximum lengths and the form of ids hold everywhere. */
const STRICTER: Record<string, string[]> = {
  'organization.create': ['name minLength 1'],
  'organization.update': ['name minLength 1'],
  // Limits that could never be kept are refused when they are set.
  'user.createApiKey': [
    'prefix matches ^[A-Za-z0-9_-]*$',
    ...whole('expiresIn', 'minimum 60', 'maximum 315360000'),
    ...whole('rateLimitTimeWindow', 'minimum 1000', 'maximum 315360000000'),
    ...whole('rateLimitMax', 'minimum 1', 'maximum 1000000000'),
    ...whole('remaining', 'minimum 0', 'maximum 1000000000'),
    ...whole('refillAmount', 'minimum 1', 'maximum 1000000000'),
    ...whole('refillInterval', 'minimum 1000', 'maximum 315360000000'),
  ],
  // Taken and ignored, as every unknown field: nobody sets these of his own account, or there is no such thing here.
  'user.update': [
    ...[
      'id',
      'isRegistered',
      'expirationDate',
      'createdAt2',
      'createdAt',
      'twoFactorEnabled',
      'emailVerified',
    ],
    ...['banned', 'banReason', 'banExpires', 'updatedAt', 'enablePaidFeatures', 'allowImpersonation'],
    ...['enableEnterpriseFeatures', 'licenseKey', 'stripeCustomerId', 'stripeSubscriptionId'],
    ...['serversQuantity', 'sendInvoiceNotifications'],
  ].map((field) => `${field} is unknown`),
  'sshKey.update': ['lastUsedAt is date-time'],
  'auditLog.all': [
    'from is date-time',
    'to is date-time',
    ...whole('limit'),
    ...whole('offset', 'maximum 10000'),
  ],
};

const resolve = (schema: Schema): Schema => {
  if (schema.$ref === undefined) return schema;
  const found = tenantry.components.schemas[schema.$ref.split('/').at(-1) ?? ''];
  if (found === undefined) throw new Error(`${schema.$ref} leads nowhere.`);
  return resolve(found);
};

/** Parameters and body as one object schema; what is sent where is compared by the method. */
function inputOf({ parameters = [], requestBody }: Operation): Schema {
  const body = requestBody?.content['application/json']?.schema ?? {};
  const query = parameters.filter((parameter) => parameter.in === 'query');
  return {
    type: 'object',
    properties: {
      ...Object.fromEntries(query.map(({ name, schema }) => [name, schema])),
      ...body.properties,
    },
    required: [
      ...query.filter(({ required }) => required === true).map(({ name }) => name),
      ...(body.required ?? []),
    ],
  };
}

const isOurRule = (refusal: string): boolean =>
  / maxLength \d+$/.test(refusal) || /(^|[a-z])(id|Id) is uuid$/.test(refusal);

const names = Object.keys(dokploy.paths).map((path) => path.slice(1));

describe.each(names)('%s', (name) => {
  const [method = '', theirs] = Object.entries(dokploy.paths[`/${name}`] ?? {})[0] ?? [];
  const ours = tenantry.paths[`/${name}`]?.[method];
  if (theirs === undefined) throw new Error(`${name} has no operation.`);

  test('is served with the same method, operationId and success status', () => {
    expect(ours?.operationId).toBe(theirs.operationId);
    const successes = (operation: Operation | undefined) =>
      Object.keys(operation?.responses ?? {}).filter((status) => status < '300');
    expect(successes(ours)).toEqual(successes(theirs));
  });

  test('takes everything that Dokploy takes', () => {
    expect(ours).toBeDefined();
    if (ours === undefined) return;
    if (theirs.requestBody === undefined) expect(ours.requestBody?.required).not.toBe(true);
    const found = refusals(inputOf(theirs), inputOf(ours), resolve);
    expect(found.filter((refusal) => !isOurRule(refusal))).toEqual(STRICTER[name] ?? []);
  });
});
