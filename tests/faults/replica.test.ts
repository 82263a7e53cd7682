import { rm } from 'node:fs/promises';
import postgres from 'postgres';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { type Caller, httpCaller } from '../support/harness.ts';
import {
  ROOT,
  type Service,
  signInRoot,
  startService,
  temporaryDirectory,
  tenantry,
} from '../support/service.ts';
import { missingForStandby, startReplication } from '../support/standby.ts';

/* A primary and a standby that streams from it, as docs/scaling.md says. */

const missing = missingForStandby();

/** What the trail of an organization tells, newest first. */
const actionsOf = async (caller: Caller, organizationId: string): Promise<string[]> =>
  (await caller.get('auditLog.all', { organizationId })).body.map(
    ({ resourceType, action }: { resourceType: string; action: string }) => `${resourceType} ${action}`,
  );

const hasLogged = (service: Service, text: string) =>
  vi.waitFor(() => expect(service.output.text).toContain(text), { timeout: 30_000, interval: 50 });

describe.skipIf(missing !== undefined)(`a replica${missing === undefined ? '' : ` (${missing})`}`, () => {
  test('tells of the past, decides nothing, and is not needed', async () => {
    const { primary, standby, ...replication } = await startReplication();
    onTestFinished(() => replication[Symbol.asyncDispose]());
    const directory = await temporaryDirectory();
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    const settings = {
      DATABASE_URL: primary.url,
      DATABASE_REPLICA_URL: standby.url,
      AUTH_SECRET: 'a-secret-for-a-primary-and-its-replica',
      DATA_DIR: directory,
    };
    const service = await startService({ ...settings, ...ROOT });
    onTestFinished(async () => void (await service.end('SIGTERM')));
    const onPrimary = postgres(primary.url, { max: 1, onnotice: () => {} });
    const onStandby = postgres(standby.url, { max: 1, onnotice: () => {} });
    onTestFinished(async () => void (await Promise.all([onPrimary.end(), onStandby.end()])));
    /** For as long as it takes there are changes: without any it would look old. */
    async function untilReadAgain(after: () => Promise<unknown>) {
      const count = () => service.output.text.split('the replica is read').length;
      const before = count();
      await after();
      await vi.waitFor(
        async () => {
          await onPrimary`select txid_current()`;
          expect(count()).toBeGreaterThan(before);
        },
        { timeout: 30_000, interval: 50 },
      );
    }
    const root = httpCaller(service.baseUrl, await signInRoot(service.baseUrl));
    const { body: organization } = await root.post('organization.create', { name: 'Acme' });
    const organizationId: string = organization.id;
    const { body: key } = await root.post('apiKey.create', { name: 'ci', organizationId });
    const byKey = httpCaller(service.baseUrl, { 'x-api-key': key.key });
    await hasLogged(service, 'the replica is read');
    await vi.waitFor(async () =>
      expect(await actionsOf(root, organizationId)).toContain('organization create'),
    );

    // It stands still: the trail that is read is that of before, and whatever decides is of now.
    await onStandby`select pg_wal_replay_pause()`;
    await vi.waitFor(async () =>
      expect(await onStandby`select pg_get_wal_replay_pause_state() as state`).toEqual([{ state: 'paused' }]),
    );
    const before = await actionsOf(root, organizationId);
    expect((await byKey.post('organization.update', { organizationId, name: 'Acme Two' })).status).toBe(200);
    expect((await byKey.get('organization.one', { organizationId })).body.name).toBe('Acme Two');
    expect(await actionsOf(byKey, organizationId)).toEqual(before);
    expect((await root.get('auditLog.verify', { organizationId })).body.valid).toBe(true);
    await root.post('apiKey.delete', { apiKeyId: key.id });
    expect((await byKey.get('auditLog.all', { organizationId })).status).toBe(401);

    // Too far behind, it is not asked any more; once it has caught up it is.
    await hasLogged(service, 's old');
    expect(await actionsOf(root, organizationId)).not.toEqual(before);
    expect((await tenantry(['doctor'], settings)).stdout).toContain(
      'ok    replica: not read now, as its newest change',
    );
    await untilReadAgain(() => onStandby`select pg_wal_replay_resume()`);

    // Away in the middle of things, no reader notices.
    await standby.stop();
    const whileAway = await Promise.all(
      Array.from({ length: 20 }, () => root.get('auditLog.all', { organizationId })),
    );
    expect(new Set(whileAway.map(({ status }) => status))).toEqual(new Set([200]));

    // Promoted by mistake it goes its own way, and is not read.
    await untilReadAgain(() => standby.start());
    const promoted = postgres(standby.url, { max: 1 });
    onTestFinished(() => promoted.end());
    await promoted`select pg_promote()`;
    await hasLogged(service, 'it is no standby');
    expect((await tenantry(['doctor'], settings)).stdout).toContain('FAIL  replica: it is no standby');
    await root.post('organization.update', { organizationId, name: 'Acme at last' });
    expect(await actionsOf(root, organizationId)).toHaveLength(
      Number(
        (await onPrimary`select count(*) from audit_log where organization_id = ${organizationId}`)[0]?.count,
      ),
    );
  }, 120_000);
});
