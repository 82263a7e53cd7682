import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { appRouter } from '../src/api/root.ts';
import { permissionsDocument } from '../src/cli/permissions.ts';

const written = readFileSync(new URL('../docs/permissions.md', import.meta.url), 'utf8');

test('docs/permissions.md says what the code says: npm run docs:permissions', () => {
  expect(written).toBe(permissionsDocument(appRouter));
});

test.each([
  ['a right of the owner alone', '| `organization:delete` | yes |  |  |  |'],
  ['a right of admins and custom roles', '| `member:update` | yes | yes |  | yes |'],
  ['a right on the installation', '| `settings.update` |  |  | yes | yes |'],
  ['a procedure of an organization', '| `user.all` | `member:read` | with `member:read` |'],
  ['one that limited keys never call', '| `organization.setDefault` | member | none |'],
  ['one of every user', '| `apiKey.whoami` | user | any |'],
])('it names %s', (_, line) => expect(written).toContain(line));
