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
  const { data: roles } = useRead('customRole.all', { organizationId }, { enabled: !isBuiltIn(role) });
  const custom = Object.entries(roles?.find((one) => one.role === role)?.permissions ?? {});
  const { permissions } = roleOf(
    role,
    custom.flatMap(([resource, actions]) => actions.map((action) => `${resource}:${action}`)),
  );
  return (permission) => permissions.has(permission);
}

/** The roles that the organization has made, where the caller may read them; until they are known nothing is to be sent. */
export function useOwnRoles() {
  const { id: organizationId } = useOrganization();
  const mayRead = useCan()('customRole:read');
  const reading = useRead('customRole.all', { organizationId }, { enabled: mayRead });
  return { ...reading, areKnown: reading.data !== undefined || !mayRead };
}
