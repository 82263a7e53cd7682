import type { AnyTRPCRouter } from '@trpc/server';
import { endpointsOf } from '../http/procedures.ts';
import {
  can,
  canOnPlatform,
  isPermission,
  PERMISSIONS,
  type Permission,
  PLATFORM_RIGHTS,
  PLATFORM_ROLES,
  ROLE_NAMES,
  roleOf,
} from '../kernel/permissions.ts';

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

const mark = (yes: boolean): string => (yes ? 'yes' : '');

function rolesTable(): string {
  const roles = ROLE_NAMES.map((name) => roleOf(name));
  const custom = roleOf('custom', PERMISSIONS);
  const row = (permission: Permission) => [
    `\`${permission}\``,
    ...[...roles, custom].map((role) => mark(can(role, permission))),
  ];
  return table(['permission', ...ROLE_NAMES, 'can be given to a custom role'], PERMISSIONS.map(row));
}

const platformTable = (): string =>
  table(
    ['right', ...PLATFORM_ROLES],
    PLATFORM_RIGHTS.map((right) => [
      `\`${right}\``,
      ...PLATFORM_ROLES.map((role) => mark(canOnPlatform(role, right))),
    ]),
  );

/** Which limited API keys a procedure admits, in words. */
function keysOf(access: string, limitedKeys: string | undefined): string {
  if (access === 'public') return 'any';
  const needed = limitedKeys ?? (isPermission(access) ? access : 'none');
  if (needed === 'any' && isPermission(access)) return `with \`${access}\``;
  return needed === 'any' || needed === 'none' ? needed : `with \`${needed}\``;
}

function proceduresTable(router: AnyTRPCRouter): string {
  const endpoints = [...endpointsOf(router).values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  return table(
    ['procedure', 'who may call it', 'limited API keys'],
    endpoints.map(({ name, meta: { access = 'nobody', limitedKeys } }) => [
      `\`${name}\``,
      ['public', 'user', 'member'].includes(access) ? access : `\`${access}\``,
      keysOf(access, limitedKeys),
    ]),
  );
}

/** The document of who may do what, from the table of permissions and the router. Markdown. */
export const permissionsDocument = (router: AnyTRPCRouter): string => `# Who may do what

Made by \`npm run docs:permissions\` from the code that decides; a test fails when the two differ.

## In an organization

${rolesTable()}

Owners rank above admins, admins above custom roles, those above members. Nobody acts on an equal or higher rank, and
nobody gives a role of a higher rank or with rights that he lacks. Ownership is never given away with a role. An API key
may do what its holder may do, within the permissions that it is limited to.

## On the installation

${platformTable()}

Nobody acts on an equal or higher platform role. Platform rights are no rights inside organizations.

## Procedures

\`public\` is anybody, \`user\` is anybody who is signed in, \`member\` is anybody who belongs to the organization that the
call is about, in whatever role, \`platform:…\` is who has that right on the installation; anything else is a permission
in that organization. A limited key is one that is bound to an organization or limited to permissions; of those that are
only bound, every one is admitted where a permission is named.
What a procedure asks beyond this stands in its description.

${proceduresTable(router)}
`;
