import * as Radix from '@radix-ui/react-dropdown-menu';
import { Ellipsis } from 'lucide-react';
import { type ReactNode, useCallback, useRef, useState } from 'react';

type Item = { label: string; icon?: ReactNode; isDanger?: boolean; onSelect: () => void };

/** What can be done with a row. */
export function RowMenu({ label, items }: { label: string; items: readonly (Item | false)[] }) {
  const shown = items.filter((item) => item !== false);
  const chosen = useRef<() => void>(undefined);
  if (shown.length === 0) return null;
  return (
    <Menu
      onClosed={() => {
        chosen.current?.();
        chosen.current = undefined;
      }}
      trigger={
        <button type="button" className="button quiet" aria-label={label}>
          <Ellipsis aria-hidden />
        </button>
      }
    >
      {shown.map(({ label, icon, isDanger = false, onSelect }) => (
        <Radix.Item
          key={label}
          className={isDanger ? 'menu-item danger' : 'menu-item'}
          onSelect={() => {
            chosen.current = onSelect; // done once the focus is back here, so that a dialog gives it back too
          }}
        >
          {icon}
          {label}
        </Radix.Item>
      ))}
    </Menu>
  );
}

type MenuProps = { trigger: ReactNode; onClosed?: () => void; children: ReactNode };

/**
 * Not modal, as that would put a style element into the page, which its policy refuses. In a dialog it opens within: what
 * is outside lies beneath.
 */
export function Menu({ trigger, onClosed, children }: MenuProps) {
  const [dialog, setDialog] = useState<HTMLDialogElement | null>();
  const findDialog = useCallback((button: HTMLElement | null) => setDialog(button?.closest('dialog')), []);
  return (
    <Radix.Root modal={false}>
      <Radix.Trigger asChild ref={findDialog}>
        {trigger}
      </Radix.Trigger>
      <Radix.Portal container={dialog}>
        <Radix.Content
          className="menu"
          align="end"
          sideOffset={4}
          collisionPadding={8}
          onCloseAutoFocus={() => onClosed?.()}
        >
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
