import { afterAll, beforeAll, expect, test } from 'vitest';
import { newId } from '../../src/kernel/ids.ts';
import { createHarness, type Harness } from '../support/harness.ts';
import { tenantry } from '../support/service.ts';

let h: Harness;
let environment: NodeJS.ProcessEnv;
beforeAll(async () => {
  h = await createHarness();
  environment = {
    DATABASE_URL: h.databaseUrl,
    AUTH_SECRET: 'a-secret-for-tests-that-is-long-enough',
    DATA_DIR: h.dataDir,
  };
});
afterAll(() => h[Symbol.asyncDispose]());

test('audit verify reads every chain, also that of a deleted organization, and names what is wrong', async () => {
  const { id, owner } = await h.organization();
  await owner.post('organization.delete', { organizationId: id });

  const whole = await tenantry(['audit', 'verify'], environment);
  expect(whole).toMatchObject({
    code: 0,
    stdout: '3 chains, 4 rows as they were written, 0 chains broken\n', // the account's, and two organizations'
  });
  const one = await tenantry(['audit', 'verify', '--organization', id], environment);
  expect(one.code).toBe(0);
  expect(one.stdout).toMatch(new RegExp(`^ok   ${id}: 2 rows, up to the seal [0-9a-f]{64}\n`));

  await h.sql`alter table audit_log disable trigger user`;
  await h.sql`update audit_log set user_email = 'mallory@example.org' where chain_id = ${id} and seq = 2`;
  const broken = await tenantry(['audit', 'verify'], environment);
  expect(broken).toMatchObject({
    code: 1,
    stdout: `FAIL ${id}: row 2 is not as it was written, or was put in its place\n3 chains, 3 rows as they were written, 1 chains broken\n`,
  });
});

test('audit verify takes rows without a seal only on the word of the operator', async () => {
  const { id } = await h.organization();
  for (const table of ['audit_log', 'audit_chains']) {
    await h.sql`alter table ${h.sql(table)} disable trigger user`;
  }
  await h.sql`update audit_log set seal = '' where chain_id = ${id}`;
  await h.sql`update audit_chains set seal = '' where id = ${id}`;
  const verify = (...more: string[]) =>
    tenantry(['audit', 'verify', '--organization', id, ...more], environment);
  expect(await verify()).toMatchObject({
    code: 1,
    stdout: `FAIL ${id}: row 1 has no seal: it is from before there were chains, or was written without the secret\n1 chains, 0 rows as they were written, 1 chains broken\n`,
  });
  expect((await verify('--unsealed-before', '2020-01-01')).code).toBe(1);
  expect(await verify('--unsealed-before', '9999-12-31T00:00:00Z')).toMatchObject({
    code: 0,
    stdout: `ok   ${id}: 1 rows, 1 of them without a seal, up to no seal\n1 chains, 0 rows as they were written, 0 chains broken\n`,
  });
  expect(await verify('--unsealed-before', 'upgrade')).toMatchObject({
    ...{ code: 1, stdout: '', stderr: 'upgrade is no date of ISO 8601.\n' },
  });
});

test('audit verify refuses what is no id; where the secret was replaced, it finds every chain broken', async () => {
  const bad = await tenantry(['audit', 'verify', '--organization', 'acme'], environment);
  expect(bad).toMatchObject({ code: 1, stdout: '', stderr: 'acme is not the id of an organization.\n' });
  const unknown = await tenantry(['audit', 'verify', '--organization', newId()], environment);
  expect(unknown).toMatchObject({ code: 1, stdout: expect.stringMatching(/^FAIL \S+: no row is there/) });
  const other = { ...environment, AUTH_SECRET: 'another-secret-that-is-long-enough-too' };
  await tenantry(['secret', 'replace'], other);
  const { code, stdout } = await tenantry(['audit', 'verify'], other);
  expect(code).toBe(1);
  expect(stdout).toContain('0 rows as they were written');
});
