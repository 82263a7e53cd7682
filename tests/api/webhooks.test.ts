import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  EVENT_NAMES,
  eventOf,
  payloadSchema,
  UNPUBLISHED,
  type WebhookEvent,
} from '../../src/kernel/webhook-events/index.ts';
import {
  type Body,
  type Caller,
  createHarness,
  type Harness,
  type TestUser,
  times,
} from '../support/harness.ts';
import { audited, call, procedureOf } from './procedures.ts';
import { type Cast, createCast, createStage, INPUTS, keepSessions, newWebhookOf } from './stage.ts';

/* What may be a webhook, who may see and change it, and which events there are. */

let h: Harness;
let cast: Cast;
let owner: TestUser;
let organizationId: string;
let restoreSessions: () => Promise<void>;
beforeAll(async () => {
  h = await createHarness({ MAX_ORGANIZATIONS_PER_USER: '1000' });
  await h.app.jobs.stop(); // nothing is sent here
  cast = await createCast(h);
  owner = cast.owner;
  restoreSessions = await keepSessions(h);
});
afterAll(() => h[Symbol.asyncDispose]());
beforeEach(async () => {
  await restoreSessions();
  organizationId = (await h.organization(owner)).id;
});

const URL_TEXT = 'https://hooks.example.org/tenantry';
const create = (input: Record<string, unknown> = {}, by: Caller = owner) =>
  by.post('webhook.create', { organizationId, url: URL_TEXT, ...input });
const refused = async (input: Record<string, unknown>): Promise<unknown[]> => {
  const { status, body } = await create(input);
  return [status, body.data.reason, body.issues?.[0]?.path];
};

describe('create', () => {
  test('shows the secret once, and never again', async () => {
    const { status, body } = await create({ description: 'Billing', events: ['member.updated'] });
    expect(status).toBe(200);
    const { secret, ...shown } = body;
    expect(Buffer.from(/^whsec_(.+)$/.exec(secret)?.[1] ?? '', 'base64')).toHaveLength(32);
    expect(shown).toMatchObject({
      organizationId,
      url: URL_TEXT,
      description: 'Billing',
      events: ['member.updated'],
      active: true,
      disabledReason: null,
      failingSince: null,
      previousSecretExpiresAt: null,
    });
    const webhookId = body.id;
    const texts = [
      (await owner.get('webhook.all', { organizationId })).text,
      (await owner.post('webhook.update', { webhookId, description: 'x' })).text,
      (await owner.post('webhook.test', { webhookId })).text,
      (await owner.get('webhook.deliveries', { webhookId })).text,
      (await owner.get('auditLog.all', { organizationId })).text,
      JSON.stringify(await h.sql`select * from webhooks, webhook_deliveries, jobs`),
      h.logLines.join(),
      (await owner.post('webhook.delete', { webhookId })).text,
    ];
    for (const text of texts) {
      expect(text.length).toBeGreaterThan(50);
      expect(text).not.toContain(secret.slice('whsec_'.length));
      expect(text).not.toContain('whsec_');
    }
  });

  test.each([
    [undefined, ['*']],
    [[], ['*']],
    [['*'], ['*']],
    [['member.updated', '*'], ['*']],
    [
      ['sshKey.created', 'member.updated', 'sshKey.created'],
      ['member.updated', 'sshKey.created'],
    ],
  ])('the events %j are %j', async (events, expected) => {
    expect((await create({ events })).body.events).toEqual(expected);
  });

  test('an event that does not exist is refused', async () => {
    expect(await refused({ events: ['member.exploded'] })).toEqual([400, 'invalid_input', ['events', 0]]);
  });

  test.each([
    ['http://hooks.example.org/', 'url_not_https'],
    ['ftp://hooks.example.org/', 'url_not_https'],
    ['javascript:alert(1)', 'url_not_https'],
    ['file:///etc/passwd', 'url_not_https'],
    ['hooks.example.org', 'url_invalid'],
    ['https://', 'url_invalid'],
    ['https://a:b@hooks.example.org/', 'url_with_credentials'],
    ['https://a@hooks.example.org/', 'url_with_credentials'],
    ['https://hooks.example.org/#part', 'url_with_fragment'],
    ['https://hooks.example.org/#', 'url_with_fragment'],
    ['https://hooks.example.org:25/', 'url_port'],
    ['https://hooks.example.org:0/', 'url_port'],
    ['https://localhost/', 'url_not_public'],
    ['https://LOCALHOST./', 'url_not_public'],
    ['https://a.localhost/', 'url_not_public'],
    ['https://metadata.google.internal/', 'url_not_public'],
    ['https://127.0.0.1/', 'url_not_public'],
    ['https://2130706433/', 'url_not_public'],
    ['https://0x7f.1/', 'url_not_public'],
    ['https://017700000001/', 'url_not_public'],
    ['https://10.1.2.3:8443/', 'url_not_public'],
    ['https://169.254.169.254/latest', 'url_not_public'],
    ['https://[::1]/', 'url_not_public'],
    ['https://[::ffff:10.0.0.1]/', 'url_not_public'],
    ['https://[fd00::1]/', 'url_not_public'],
    ['https://[64:ff9b::10.0.0.1]/', 'url_not_public'],
  ])('%s is refused: %s', async (url, reason) => {
    expect(await refused({ url })).toEqual([400, reason, ['url']]);
    const { body } = await create();
    const changed = await owner.post('webhook.update', { webhookId: body.id, url });
    expect([changed.status, changed.body.data.reason]).toEqual([400, reason]);
  });

  test.each([
    'https://hooks.example.org:8443/a?b=c',
    'https://8.8.8.8/',
    'https://[2606:4700:4700::1111]:1024/',
    'https://bücher.example/',
  ])('%s is taken', async (url) => {
    const { status, body } = await create({ url });
    expect([status, body.url]).toEqual([200, new URL(url).href]);
  });

  test.each([
    { url: `https://a.example/${'x'.repeat(2048)}` },
    { url: `https://a.example/${'ü'.repeat(800)}` },
  ])('a URL that is too long is refused', async ({ url }) => {
    expect((await create({ url })).status).toBe(400);
  });

  test('at most 20 an organization, also at once', async () => {
    for (const _ of times(17, () => 0)) await newWebhookOf(h, organizationId);
    const replies = await h.race(
      organizationId,
      times(6, () => () => create()),
    );
    expect(replies.map(({ status }) => status).sort()).toEqual([200, 200, 200, 412, 412, 412]);
    expect(await refused({})).toEqual([412, 'too_many_webhooks', undefined]);
  });
});

describe('who may see them', () => {
  test.each([
    ['owner', 200],
    ['admin', 200],
    ['member', 403],
    ['foreigner', 404],
  ] as const)('%s: %i', async (who, expected) => {
    const stage = await createStage(h, cast);
    await newWebhookOf(h, stage.organizationId);
    const { status } = await cast[who].get('webhook.all', { organizationId: stage.organizationId });
    expect(status).toBe(expected);
  });

  test('the list has those of the organization, and no others', async () => {
    const { body } = await create();
    await newWebhookOf(h, (await h.organization(cast.host)).id);
    const { body: listed } = await owner.get('webhook.all', { organizationId });
    expect(listed).toMatchObject([{ id: body.id }]);
  });
});

describe('update', () => {
  test('keeps what is left out and clears what is null', async () => {
    const { body } = await create({ description: 'Billing', events: ['member.updated'] });
    const update = async (changes: object) =>
      (await owner.post('webhook.update', { webhookId: body.id, ...changes })).body;
    expect(await update({ url: 'https://other.example.org/' })).toMatchObject({
      url: 'https://other.example.org/',
      description: 'Billing',
      events: ['member.updated'],
    });
    expect(await update({ description: null, events: [] })).toMatchObject({
      description: null,
      events: ['*'],
    });
    expect(await update({ active: false })).toMatchObject({ active: false, disabledReason: null });
  });

  test('the trail says where, without the path that often works like a password', async () => {
    const { body } = await create({ url: 'https://hooks.example.org/T000/canary' });
    await owner.post('webhook.update', { webhookId: body.id, description: 'x' });
    await owner.post('webhook.delete', { webhookId: body.id });
    const { text } = await owner.get('auditLog.all', { organizationId, resourceType: 'webhook' });
    expect(text).toContain('https://hooks.example.org');
    expect(text).not.toContain('canary');
  });
});

describe('deliveries', () => {
  test('come newest first, page by page, by status', async () => {
    const { body: hook } = await create();
    const made: string[] = [];
    for (const _ of times(5, () => 0)) {
      made.unshift((await owner.post('webhook.test', { webhookId: hook.id })).body.deliveryId);
    }
    const page = (query: object) =>
      owner.get('webhook.deliveries', { webhookId: hook.id, ...query }).then(({ body }) => body);
    const first = await page({ limit: 3 });
    const second = await page({ limit: 3, cursor: first.nextCursor });
    expect([...first.items, ...second.items].map(({ id }: Body) => id)).toEqual(made);
    expect(second.nextCursor).toBeNull();
    expect((await page({ status: 'pending' })).items).toHaveLength(5);
    expect((await page({ status: 'delivered' })).items).toEqual([]);
    expect(first.items[0]).toMatchObject({
      webhookId: hook.id,
      event: 'webhook.test',
      status: 'pending',
      attempts: 0,
      responseStatus: null,
      nextAttemptAt: expect.stringMatching(/Z$/),
    });
  });

  test('of somebody else’s webhook are not found', async () => {
    const { body: hook } = await create();
    const stranger = await h.user();
    expect((await stranger.get('webhook.deliveries', { webhookId: hook.id })).status).toBe(404);
  });
});

/** The events that lie in the outbox for an organization. */
const outbox = (id: string) =>
  h.sql<{ event: string; body: string; webhookId: string }[]>`
    select event, body, webhook_id from webhook_deliveries where organization_id = ${id} order by id`;

describe('an event', () => {
  const addKey = () => owner.post('apiKey.create', { name: 'deploy', organizationId });

  test('is put out for the webhooks of its organization that listen, and for no others', async () => {
    const all = (await create()).body.id;
    const named = (await create({ events: ['apiKey.created', 'member.deleted'] })).body.id;
    await create({ events: ['member.deleted'] });
    await create({ active: false });
    await newWebhookOf(h, (await h.organization(owner)).id);
    expect((await addKey()).status).toBe(200);
    const rows = await outbox(organizationId);
    expect(rows.map(({ webhookId }) => webhookId)).toEqual([all, named]);
    const ids =
      await h.sql`select distinct event_id from webhook_deliveries where organization_id = ${organizationId}`;
    expect(ids).toHaveLength(1);
    expect(new Set(rows.map(({ body }) => body)).size).toBe(1);
    const jobs =
      await h.sql`select 1 from jobs j join webhook_deliveries d on j.payload ->> 'deliveryId' = d.id::text
      where j.name = 'webhook.deliver' and d.organization_id = ${organizationId}`;
    expect(jobs).toHaveLength(2);
  });

  test('leaves with the change or not at all', async () => {
    await create();
    await h.sql`create or replace function refuse_job() returns trigger language plpgsql as $$ begin raise 'no'; end $$`;
    await h.sql`create trigger refuse_job before insert on jobs execute function refuse_job()`;
    try {
      expect((await addKey()).status).toBe(500);
    } finally {
      await h.sql`drop trigger refuse_job on jobs`;
    }
    expect(await outbox(organizationId)).toHaveLength(0);
    expect(await h.sql`select 1 from api_keys where organization_id = ${organizationId}`).toHaveLength(0);
  });

  test('of a caller with an API key names the key', async () => {
    await create();
    const key = await h.key(owner, { organizationId });
    await key.post('organization.removeAvatar', { organizationId });
    const row = (await outbox(organizationId)).at(-1);
    expect(JSON.parse(row?.body ?? '{}').data.actor).toEqual({ userId: owner.id, apiKeyId: key.id });
  });
});

describe('the catalogue', () => {
  test('is published, with the schema of every payload', async () => {
    const { status, body } = await h.anonymous.get('webhook.events');
    expect(status).toBe(200);
    expect(body.map(({ name }: Body) => name)).toEqual(EVENT_NAMES);
    for (const { name, schema, description } of body) {
      expect(schema.properties.type.const).toBe(name);
      expect(description).toMatch(/\.$/);
    }
  });

  test('has the TTL that a record takes from others', async () => {
    await create();
    const { body: zones } = await owner.get('dnsZone.all', { organizationId });
    const zone = { organizationId, zoneId: zones.items[0].id };
    const A = { ...zone, type: 'A', content: '192.0.2.1' };
    await owner.post('dnsRecord.create', { ...A, name: 'www', ttl: 60 });
    await owner.post('dnsRecord.create', { ...A, name: 'www', content: '192.0.2.2', ttl: 120 });
    const { body: other } = await owner.post('dnsRecord.create', { ...A, name: 'a', content: '192.0.2.3' });
    await owner.post('dnsRecord.update', { ...zone, recordId: other.id, name: 'www', ttl: 240 });
    const sent = (await outbox(organizationId)).filter(({ event }) => event.startsWith('dnsRecord.'));
    const payloads = sent.map(({ event, body }) =>
      payloadSchema(event as WebhookEvent).parse(JSON.parse(body)),
    );
    expect(payloads.map(({ data }) => [data.before?.ttl, data.before?.ttlOfOthers])).toEqual([
      [undefined, undefined],
      [60, undefined],
      [undefined, undefined],
      [3600, 120],
    ]);
  });

  /** Whoever can make the change; a setting of the installation or of an account is nobody's organization. */
  const HOLDERS = ['owner', 'foreigner', 'root', 'outsider'] as const;

  test.each(audited)('has what %s does, or says why not', async (name) => {
    for (const holder of HOLDERS) {
      const stage = await createStage(h, cast);
      const input = await INPUTS[name]?.({ h, cast, stage, holder: cast[holder] });
      // Whichever organization the change is of has a webhook by then.
      for (const { id } of await h.sql<{ id: string }[]>`
        select id from organizations o where not exists (select 1 from webhooks w where w.organization_id = o.id)`) {
        await newWebhookOf(h, id);
      }
      const { status } = await call(cast[holder], procedureOf(name), input);
      if (status !== 200) continue;

      const [row] = await h.sql<Body[]>`select * from audit_log order by id desc limit 1`;
      if (row.organizationId === null) return;
      const pair = `${row.resourceType}:${row.action}`;
      if (name === 'webhook.test') return;
      const event = eventOf(row.resourceType, row.action);
      expect(event !== undefined || pair in UNPUBLISHED, `${pair} has an event or a reason`).toBe(true);
      const sent = (await outbox(row.organizationId)).at(-1);
      if (event === undefined) {
        expect(sent?.event === undefined || name === 'webhook.redeliver').toBe(true);
        return;
      }
      expect(sent?.event).toBe(event);
      const payload = payloadSchema(event).parse(JSON.parse(sent?.body ?? ''));
      expect(payload.data).toMatchObject({
        organizationId: row.organizationId,
        resourceId: row.resourceId,
        resourceName: row.resourceName,
        before: row.before,
        after: row.after,
        actor: { userId: row.userId, apiKeyId: null },
      });
      expect(sent?.body).not.toMatch(/token|hash|secret|password|"key"/i);
      return;
    }
    throw new Error(`Nobody can call ${name}.`);
  });
});
