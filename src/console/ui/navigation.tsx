import { Link } from '@tanstack/react-router';
import {
  Activity,
  AtSign,
  Cpu,
  Globe,
  KeyRound,
  LayoutDashboard,
  type LucideIcon,
  Mail,
  MonitorSmartphone,
  ReceiptText,
  ScrollText,
  Server,
  Settings,
  ShieldCheck,
  SlidersHorizontal,
  Terminal,
  UserRound,
  UserRoundCog,
  UsersRound,
  Webhook,
} from 'lucide-react';
import { canOnPlatform } from '../../kernel/permissions.ts';
import { useMe } from '../lib/session.ts';
import { texts } from '../texts.ts';

const t = texts.nav;

const ORGANIZATION = [
  ['/o/$slug', t.overview, LayoutDashboard],
  ['/o/$slug/members', t.members, UsersRound],
  ['/o/$slug/invitations', t.invitations, Mail],
  ['/o/$slug/roles', t.roles, UserRoundCog],
  ['/o/$slug/access', t.access, ShieldCheck],
  ['/o/$slug/servers', t.servers, Server],
  ['/o/$slug/dns', t.dns, Globe],
  ['/o/$slug/webhooks', t.webhooks, Webhook],
  ['/o/$slug/api-keys', t.apiKeys, KeyRound],
  ['/o/$slug/ssh-keys', t.sshKeys, Terminal],
  ['/o/$slug/audit', t.audit, ScrollText],
  ['/o/$slug/settings', t.settings, Settings],
] as const;
const ACCOUNT = [
  ['/account/profile', t.profile, UserRound],
  ['/account/security', t.security, AtSign],
  ['/account/sessions', t.sessions, MonitorSmartphone],
  ['/account/ssh-keys', t.ownSshKeys, Terminal],
] as const;
const PLATFORM = [
  ['/platform/users', t.users, Activity, 'user.readAny'],
  ['/platform/licenses', t.licenses, ReceiptText, 'license.manage'],
  ['/platform/nodes', t.nodes, Cpu, 'node.manage'],
  ['/platform/settings', t.platformSettings, SlidersHorizontal, 'settings.update'],
] as const;

/** Every page that the caller may open. */
export function Navigation({ slug }: { slug: string | undefined }) {
  const { role } = useMe();
  const platform = PLATFORM.filter(([, , , right]) => canOnPlatform(role, right));
  return (
    <nav aria-label={texts.menu}>
      {slug !== undefined && (
        <Group title={t.organization}>
          {ORGANIZATION.map(([to, label, Icon]) => (
            <Link key={to} to={to} params={{ slug }} activeOptions={{ exact: to === '/o/$slug' }}>
              <Labelled icon={Icon} label={label} />
            </Link>
          ))}
        </Group>
      )}
      <Group title={t.account}>
        {ACCOUNT.map(([to, label, Icon]) => (
          <Link key={to} to={to}>
            <Labelled icon={Icon} label={label} />
          </Link>
        ))}
      </Group>
      {platform.length > 0 && (
        <Group title={t.platform}>
          {platform.map(([to, label, Icon]) => (
            <Link key={to} to={to}>
              <Labelled icon={Icon} label={label} />
            </Link>
          ))}
        </Group>
      )}
    </nav>
  );
}

const Labelled = ({ icon: Icon, label }: { icon: LucideIcon; label: string }) => (
  <>
    <Icon aria-hidden /> {label}
  </>
);

const Group = ({ title, children }: { title: string; children: React.ReactNode }) => (
  <div className="nav-group">
    <p>{title}</p>
    {children}
  </div>
);
