import { useQuery } from '@tanstack/react-query';
import { Outlet, useLocation, useNavigate, useParams } from '@tanstack/react-router';
import { ChevronsUpDown, Menu as MenuIcon, Plus, X } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { post, query } from '../lib/api.ts';
import { useAct, useRead, useSending } from '../lib/calls.tsx';
import { InOrganization, type Organization } from '../lib/organization.tsx';
import { ME, useMe } from '../lib/session.ts';
import { ShownCalls } from '../lib/shown.tsx';
import { applyTheme } from '../lib/theme.ts';
import { texts } from '../texts.ts';
import { Avatar } from './bits.tsx';
import { Button } from './button.tsx';
import { Menu, MenuItem, MenuLabel, MenuLine } from './menu.tsx';
import { Navigation } from './navigation.tsx';
import { Problem } from './notice.tsx';
import { Logo, Missing, NotRead } from './outside.tsx';

/** The organization that the address names, else the one that was looked at last, else the active one. */
function useCurrent(organizations: Organization[] | undefined) {
  const { slug } = useParams({ strict: false });
  const [last, setLast] = useState(slug);
  if (slug !== undefined && slug !== last) setLast(slug);
  const active = useQuery({
    queryKey: ['organization.active', undefined],
    queryFn: ({ signal }) => query('organization.active', undefined, signal),
    enabled: last === undefined,
  });
  return organizations?.find((one) => (last === undefined ? one.id === active.data?.id : one.slug === last));
}

/** Around all pages for who is signed in: where one is, where one can go, and who one is. */
export function Shell() {
  const { pathname } = useLocation();
  const { data: organizations } = useRead('organization.all', {});
  const current = useCurrent(organizations);
  const choose = useAct('organization.setActive');
  const [isOpen, setIsOpen] = useState(false);
  const drawer = useRef<HTMLDialogElement>(null);
  const { data: me } = useQuery(ME);
  const theme = me?.settings.theme;
  useEffect(() => {
    if (theme !== undefined) applyTheme(theme);
  }, [theme]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the drawer closes when another page opens
  useEffect(() => setIsOpen(false), [pathname]);
  useEffect(() => {
    if (isOpen) drawer.current?.showModal();
    else drawer.current?.close();
  }, [isOpen]);
  if (!me) return null; // signed out this moment; the router leads away

  const inside = (
    <>
      <Switcher
        organizations={organizations}
        current={current}
        onChosen={({ id: organizationId }) => choose.mutate({ organizationId })}
      />
      <Navigation slug={current?.slug} />
      <Account />
    </>
  );
  return (
    <div className="shell">
      <a className="skip" href="#main">
        {texts.skip}
      </a>
      <header className="top">
        <Button
          kind="quiet"
          aria-label={texts.menu}
          icon={<MenuIcon aria-hidden />}
          onClick={() => setIsOpen(true)}
        />
        <Logo />
        <span>{current?.name ?? texts.product}</span>
      </header>
      <div className="side">{inside}</div>
      <dialog ref={drawer} className="drawer" aria-label={texts.menu} onClose={() => setIsOpen(false)}>
        <Button
          kind="quiet"
          aria-label={texts.close}
          icon={<X aria-hidden />}
          onClick={() => setIsOpen(false)}
        />
        {isOpen && inside}
      </dialog>
      <main id="main" tabIndex={-1}>
        {!me.emailVerified && <Unverified email={me.email} />}
        {choose.error !== null && <Problem>{choose.error.message}</Problem>}
        <ShownCalls key={pathname}>
          <Outlet />
        </ShownCalls>
      </main>
    </div>
  );
}

/** Around the pages of one organization. */
export function OrganizationPages() {
  const { slug } = useParams({ strict: false });
  const reading = useRead('organization.all', {});
  if (reading.data === undefined) return <NotRead reading={reading} />;
  const organization = reading.data.find((one) => one.slug === slug);
  if (organization === undefined) return <Missing />;
  return (
    <InOrganization key={organization.id} organization={organization}>
      <Outlet />
    </InOrganization>
  );
}

type SwitcherProps = {
  organizations: Organization[] | undefined;
  current: Organization | undefined;
  onChosen: (organization: Organization) => void;
};

function Switcher({ organizations = [], current, onChosen }: SwitcherProps) {
  const navigate = useNavigate();
  const go = (one: Organization) => {
    onChosen(one);
    void navigate({ to: '/o/$slug', params: { slug: one.slug } });
  };
  return (
    <Menu
      trigger={
        <button type="button" className="switcher">
          <Avatar url={current?.avatarUrl ?? null} name={current?.name ?? texts.product} />
          <span>{current?.name ?? texts.organizations.none}</span>
          <ChevronsUpDown aria-hidden />
        </button>
      }
    >
      <MenuLabel>{texts.organizations.title}</MenuLabel>
      {organizations.map((one) => (
        <MenuItem key={one.id} onSelect={() => go(one)}>
          <Avatar url={one.avatarUrl} name={one.name} />
          {one.name}
        </MenuItem>
      ))}
      <MenuLine />
      <MenuItem onSelect={() => void navigate({ to: '/organizations' })}>
        <Plus aria-hidden /> {texts.organizations.all}
      </MenuItem>
    </Menu>
  );
}

function Account() {
  const [me, navigate] = [useMe(), useNavigate()];
  const signOut = useSending(() => post('auth/sign-out', {}), undefined, true);
  return (
    <>
      {signOut.error !== null && <Problem>{signOut.error.message}</Problem>}
      <Menu
        trigger={
          <button type="button" className="account">
            <Avatar url={me.avatarUrl} name={me.displayName ?? me.name} />
            <span className="titled">
              <span>{me.displayName ?? me.name}</span>
              <span className="faint">{me.email}</span>
            </span>
          </button>
        }
      >
        <MenuItem onSelect={() => void navigate({ to: '/account/profile' })}>{texts.nav.profile}</MenuItem>
        <MenuItem onSelect={() => void navigate({ to: '/account/security' })}>{texts.nav.security}</MenuItem>
        <MenuItem onSelect={() => window.location.assign('/docs')}>{texts.nav.reference}</MenuItem>
        <MenuLine />
        <MenuItem onSelect={() => signOut.mutate(undefined)}>{texts.nav.signOut}</MenuItem>
      </Menu>
    </>
  );
}

function Unverified({ email }: { email: string }) {
  const send = useSending(() => post('auth/send-verification-email', { email }), texts.verify.sent);
  return (
    <div className="banner">
      <span>{send.error?.message ?? texts.verify.banner(email)}</span>
      <Button isBusy={send.isPending} onClick={() => send.mutate(undefined)}>
        {texts.verify.resend}
      </Button>
    </div>
  );
}
