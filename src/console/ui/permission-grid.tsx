import { Check, Minus } from 'lucide-react';
import { isGiveable, type Permission, STATEMENTS } from '../../kernel/permissions.ts';
import { texts } from '../texts.ts';

const ACTIONS = ['read', 'create', 'update', 'delete'] as const;
const has = (resource: string, action: string): boolean =>
  (STATEMENTS as Record<string, readonly string[]>)[resource]?.includes(action) ?? false;

type GridProps = {
  /** Of the checkboxes; without it the grid only shows. */
  name?: string;
  granted?: ReadonlySet<Permission>;
};

/** Every permission by resource and action. */
export function PermissionGrid({ name, granted = new Set() }: GridProps) {
  return (
    <table className="grid" aria-label={texts.roles.permissions}>
      <thead>
        <tr>
          <th scope="col">{texts.roles.resource}</th>
          {ACTIONS.map((action) => (
            <th key={action} scope="col">
              {action}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {Object.keys(STATEMENTS).map((resource) => (
          <tr key={resource}>
            <th scope="row">{resource}</th>
            {ACTIONS.map((action) => {
              const permission = `${resource}:${action}` as Permission;
              const isHeld = granted.has(permission);
              if (!has(resource, action)) return <td key={action} />;
              return (
                <td key={action}>
                  {name === undefined ? (
                    <>
                      {isHeld ? (
                        <Check aria-hidden className="held" />
                      ) : (
                        <Minus aria-hidden className="faint" />
                      )}
                      <span className="unseen">{isHeld ? texts.yes : texts.no}</span>
                    </>
                  ) : (
                    <input
                      type="checkbox"
                      name={name}
                      value={permission}
                      aria-label={permission}
                      defaultChecked={isHeld}
                      disabled={!isGiveable(permission)}
                    />
                  )}
                </td>
              );
            })}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
