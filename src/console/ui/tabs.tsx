import * as Radix from '@radix-ui/react-tabs';
import type { ReactNode } from 'react';

type Tab = { name: string; label: string; content: ReactNode };

export function Tabs({ label, tabs }: { label: string; tabs: readonly Tab[] }) {
  return (
    <Radix.Root className="tabs" defaultValue={tabs[0]?.name ?? ''}>
      <Radix.List className="tab-list" aria-label={label}>
        {tabs.map(({ name, label }) => (
          <Radix.Trigger key={name} className="tab" value={name}>
            {label}
          </Radix.Trigger>
        ))}
      </Radix.List>
      {tabs.map(({ name, content }) => (
        <Radix.Content key={name} value={name}>
          {content}
        </Radix.Content>
      ))}
    </Radix.Root>
  );
}
