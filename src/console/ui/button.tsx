import { LoaderCircle } from 'lucide-react';
import type { ComponentProps, ReactNode } from 'react';

type Look = { kind?: 'primary' | 'plain' | 'danger' | 'quiet'; isBusy?: boolean; icon?: ReactNode };

/** A button; while busy it turns and cannot be pressed again. */
export function Button({
  kind = 'plain',
  isBusy = false,
  icon,
  children,
  ...rest
}: ComponentProps<'button'> & Look) {
  return (
    <button
      type="button"
      {...rest}
      className={`button ${kind}`}
      disabled={rest.disabled || isBusy}
      aria-busy={isBusy}
    >
      {isBusy ? <LoaderCircle className="turning" aria-hidden /> : icon}
      {children}
    </button>
  );
}
