import type { useOwnRoles } from '../lib/organization.tsx';
import { Select } from './form.tsx';
import { Unreadable } from './notice.tsx';

type RoleSelectProps = {
  own: ReturnType<typeof useOwnRoles>;
  /** The role so far, which is a choice before the others are read; empty is none. */
  held: string;
  name: string;
  label: string;
  hint?: string;
  isOptional?: boolean;
};

/** A choice of one of the organization's roles. */
export function RoleSelect({ own, held, isOptional = false, ...select }: RoleSelectProps) {
  const made = own.data?.map(({ role }) => role) ?? [];
  const roles = new Set([...(isOptional ? [''] : []), held, 'member', 'admin', ...made]);
  return (
    <>
      <Select
        {...select}
        defaultValue={held}
        options={[...roles].map((role) => ({ value: role, label: role === '' ? '–' : role }))}
      />
      {own.isError && !own.areKnown && <Unreadable reading={own} />}
    </>
  );
}
