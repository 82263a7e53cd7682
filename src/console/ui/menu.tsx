import * as Radix from '@radix-ui/react-dropdown-menu';
import { Ellipsis } from 'lucide-react';
import type { ReactNode } from 'react';

type Item = { label: string; icon?: ReactNode; isDanger?: boolean; onSelect: () => void };

/** What can be done with a row. */
export function RowMenu({ label, items }: { label: string; items: readonly (Item | false)[] }) {
  const shown = items.filter((item) => item !== false);
  if (shown.length === 0) return null;
  return (
    <Menu
      trigger={
        <button type="button" className="button quiet" aria-label={label}>
          <Ellipsis aria-hidden />
        </button>
      }
    >
      {shown.map(({ label, icon, isDanger = false, onSelect }) => (
        <Radix.Item key={label} className={isDanger ? 'menu-item danger' : 'menu-item'} onSelect={onSelect}>
          {icon}
          {label}
        </Radix.Item>
      ))}
    </Menu>
  );
}

/** Not modal, as that would put a style element into the page, which its policy refuses. */
export function Menu({ trigger, children }: { trigger: ReactNode; children: ReactNode }) {
  return (
    <Radix.Root modal={false}>
      <Radix.Trigger asChild>{trigger}</Radix.Trigger>
      <Radix.Portal>
        <Radix.Content className="menu" align="end" sideOffset={4} collisionPadding={8}>
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

export const MenuItem = ({ children, onSelect }: { children: ReactNode; onSelect: () => void }) => (
  <Radix.Item className="menu-item" onSelect={onSelect}>
    {children}
  </Radix.Item>
);
export const MenuLabel = ({ children }: { children: ReactNode }) => (
  <Radix.Label className="menu-label">{children}</Radix.Label>
);
export const MenuLine = () => <Radix.Separator className="menu-line" />;
