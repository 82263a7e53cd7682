import { afterAll, beforeAll, expect, test } from 'vitest';
import { createHarness, type Harness } from '../support/harness.ts';

let h: Harness;
beforeAll(async () => {
  h = await createHarness();
});
afterAll(() => h[Symbol.asyncDispose]());

test('a created organization is owned by its maker and has its audit row', async () => {
  const ada = await h.user();
  const { status, body } = await ada.post('organization.create', {
    name: 'Acme',
    handle: 'acme.example.com',
  });
  expect(status).toBe(200);
  expect(body).toMatchObject({
    name: 'Acme',
    handle: 'acme.example.com',
    ownerId: ada.id,
    role: 'owner',
    active: true,
  });
  const audit = await ada.get('auditLog.all', { organizationId: body.id });
  expect(audit.body).toMatchObject([{ action: 'create', resourceType: 'organization', userId: ada.id }]);
});
