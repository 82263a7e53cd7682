import { Check } from 'lucide-react';
import { createContext, type ReactNode, useCallback, useContext, useState } from 'react';

const SHOWN_MS = 5_000;

const ToastContext = createContext<(text: string) => void>(() => {});

/** Says in a corner, and to screen readers, that something is done. */
export const useToast = () => useContext(ToastContext);

export function Toasts({ children }: { children: ReactNode }) {
  const [toasts, setToasts] = useState<{ id: number; text: string }[]>([]);
  const say = useCallback((text: string) => {
    const id = Math.random();
    setToasts((before) => [...before.slice(-2), { id, text }]);
    setTimeout(() => setToasts((before) => before.filter((toast) => toast.id !== id)), SHOWN_MS);
  }, []);
  return (
    <ToastContext value={say}>
      {children}
      <div className="toasts" role="status" aria-live="polite">
        {toasts.map(({ id, text }) => (
          <p className="toast" key={id}>
            <Check aria-hidden /> {text}
          </p>
        ))}
      </div>
    </ToastContext>
  );
}
