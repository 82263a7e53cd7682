import { createContext, type ReactNode, useContext } from 'react';
import { isBuiltIn, type Permission, roleOf } from '../../kernel/permissions.ts';
import type { OutputOf } from './api.ts';
import { useRead } from './calls.tsx';

export type Organization = OutputOf<'organization.all'>[number];

const OrganizationContext = createContext<Organization | null>(null);

export const InOrganization = ({
  organization,
  children,
}: {
  organization: Organization;
  children: ReactNode;
}) => <OrganizationContext value={organization}>{children}</OrganizationContext>;

/** The organization of the page. */
export function useOrganization(): Organization {
  const organization = useContext(OrganizationContext);
  if (organization === null) throw new Error('This page needs an organization.');
  return organization;
}

/** Whether the caller's role allows something here. Only hides what would be refused: the service decides. */
export function useCan(): (permission: Permission) => boolean {
  const { id: organizationId, role } = useOrganization();
  const { data } = useRead('user.getPermissions', { organizationId }, { enabled: !isBuiltIn(role) });
  if (isBuiltIn(role)) return (permission) => roleOf(role).permissions.has(permission);
  const granted: Record<string, Record<string, boolean>> = data ?? {};
  return (permission) => {
    const [resource = '', action = ''] = permission.split(':');
    return granted[resource]?.[action] ?? false;
  };
}

/** The roles that the organization has made, where the caller may read them; until they are known nothing is to be sent. */
export function useOwnRoles() {
  const { id: organizationId } = useOrganization();
  const mayRead = useCan()('customRole:read');
  const reading = useRead('customRole.all', { organizationId }, { enabled: mayRead });
  return { ...reading, areKnown: reading.data !== undefined || !mayRead };
}
