import type { QueryClient } from '@tanstack/react-query';
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
} from '@tanstack/react-router';
import { query } from './lib/api.ts';
import { ME } from './lib/session.ts';
import { Skeleton } from './ui/list.tsx';
import { NotFound, Outside, Root, Unexpected } from './ui/outside.tsx';

const root = createRootRouteWithContext<{ queries: QueryClient }>()({
  component: Root,
  notFoundComponent: NotFound,
  validateSearch: ({ next }: Record<string, unknown>): { next?: string } =>
    typeof next === 'string' ? { next } : {},
});

/* For everybody. */
const outside = createRoute({ getParentRoute: () => root, id: 'outside', component: Outside });
const page = <Path extends string>(path: Path, component: ReturnType<typeof lazyRouteComponent>) =>
  createRoute({ getParentRoute: () => outside, path, component });

const outsidePages = [
  page(
    '/sign-in',
    lazyRouteComponent(() => import('./pages/sign-in.tsx'), 'SignIn'),
  ),
  page(
    '/sign-up',
    lazyRouteComponent(() => import('./pages/sign-up.tsx'), 'SignUp'),
  ),
  page(
    '/forgot-password',
    lazyRouteComponent(() => import('./pages/password.tsx'), 'ForgotPassword'),
  ),
  page(
    '/reset-password',
    lazyRouteComponent(() => import('./pages/password.tsx'), 'ResetPassword'),
  ),
  page(
    '/verify-email',
    lazyRouteComponent(() => import('./pages/verify-email.tsx'), 'VerifyEmail'),
  ),
  page(
    '/invitation',
    lazyRouteComponent(() => import('./pages/invitation.tsx'), 'Invitation'),
  ),
] as const;

/* For who is signed in. */
const inside = createRoute({
  getParentRoute: () => root,
  id: 'inside',
  component: lazyRouteComponent(() => import('./ui/shell.tsx'), 'Shell'),
  beforeLoad: async ({ context: { queries }, location }) => {
    if ((await queries.ensureQueryData(ME)) === null) {
      throw redirect({ to: '/sign-in', search: location.pathname === '/' ? {} : { next: location.href } });
    }
  },
});
const home = createRoute({
  getParentRoute: () => inside,
  path: '/',
  beforeLoad: async () => {
    const active = await query('organization.active', undefined);
    if (active === null) throw redirect({ to: '/organizations' });
    throw redirect({ to: '/o/$slug', params: { slug: active.slug } });
  },
});
const organization = createRoute({
  getParentRoute: () => inside,
  path: '/o/$slug',
  component: lazyRouteComponent(() => import('./ui/shell.tsx'), 'OrganizationPages'),
});
const at = <Path extends string>(path: Path, component: ReturnType<typeof lazyRouteComponent>) =>
  createRoute({ getParentRoute: () => organization, path, component });
const own = <Path extends string>(path: Path, component: ReturnType<typeof lazyRouteComponent>) =>
  createRoute({ getParentRoute: () => inside, path, component });

const organizationPages = [
  at(
    '/',
    lazyRouteComponent(() => import('./pages/overview.tsx'), 'Overview'),
  ),
  at(
    '/members',
    lazyRouteComponent(() => import('./pages/members.tsx'), 'Members'),
  ),
  at(
    '/roles',
    lazyRouteComponent(() => import('./pages/roles.tsx'), 'Roles'),
  ),
  at(
    '/access',
    lazyRouteComponent(() => import('./pages/access.tsx'), 'Access'),
  ),
  at(
    '/invitations',
    lazyRouteComponent(() => import('./pages/invitations.tsx'), 'Invitations'),
  ),
  at(
    '/servers',
    lazyRouteComponent(() => import('./pages/servers.tsx'), 'Servers'),
  ),
  at(
    '/dns',
    lazyRouteComponent(() => import('./pages/zones.tsx'), 'Zones'),
  ),
  at(
    '/dns/$zoneId',
    lazyRouteComponent(() => import('./pages/zone.tsx'), 'Zone'),
  ),
  at(
    '/webhooks',
    lazyRouteComponent(() => import('./pages/webhooks.tsx'), 'Webhooks'),
  ),
  at(
    '/webhooks/$webhookId',
    lazyRouteComponent(() => import('./pages/webhook.tsx'), 'Webhook'),
  ),
  at(
    '/api-keys',
    lazyRouteComponent(() => import('./pages/api-keys.tsx'), 'ApiKeys'),
  ),
  at(
    '/ssh-keys',
    lazyRouteComponent(() => import('./pages/ssh-keys.tsx'), 'OrganizationSshKeys'),
  ),
  at(
    '/audit',
    lazyRouteComponent(() => import('./pages/audit.tsx'), 'Audit'),
  ),
  at(
    '/settings',
    lazyRouteComponent(() => import('./pages/organization-settings.tsx'), 'OrganizationSettings'),
  ),
] as const;

const ownPages = [
  own(
    '/organizations',
    lazyRouteComponent(() => import('./pages/organizations.tsx'), 'Organizations'),
  ),
  own(
    '/device',
    lazyRouteComponent(() => import('./pages/device.tsx'), 'Device'),
  ),
  own(
    '/account/profile',
    lazyRouteComponent(() => import('./pages/profile.tsx'), 'Profile'),
  ),
  own(
    '/account/security',
    lazyRouteComponent(() => import('./pages/security.tsx'), 'Security'),
  ),
  own(
    '/account/sessions',
    lazyRouteComponent(() => import('./pages/sessions.tsx'), 'Sessions'),
  ),
  own(
    '/account/ssh-keys',
    lazyRouteComponent(() => import('./pages/ssh-keys.tsx'), 'OwnSshKeys'),
  ),
  own(
    '/platform/users',
    lazyRouteComponent(() => import('./pages/users.tsx'), 'Users'),
  ),
  own(
    '/platform/licenses',
    lazyRouteComponent(() => import('./pages/licenses.tsx'), 'Licenses'),
  ),
  own(
    '/platform/nodes',
    lazyRouteComponent(() => import('./pages/nodes.tsx'), 'Nodes'),
  ),
  own(
    '/platform/settings',
    lazyRouteComponent(() => import('./pages/platform-settings.tsx'), 'PlatformSettings'),
  ),
] as const;

const tree = root.addChildren([
  outside.addChildren([...outsidePages]),
  inside.addChildren([home, organization.addChildren([...organizationPages]), ...ownPages]),
]);

export const createConsoleRouter = (queries: QueryClient) =>
  createRouter({
    routeTree: tree,
    context: { queries },
    defaultPreload: 'intent',
    defaultPendingComponent: Skeleton,
    defaultErrorComponent: Unexpected, // of the page and not of the root, which says that the service is away
    scrollRestoration: true,
  });

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createConsoleRouter>;
  }
}
