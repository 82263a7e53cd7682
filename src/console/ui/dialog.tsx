import { X } from 'lucide-react';
import { type ReactNode, useId, useLayoutEffect, useRef, useState } from 'react';
import type { Act } from '../lib/calls.tsx';
import { texts } from '../texts.ts';
import { Button } from './button.tsx';
import { Field, Form } from './form.tsx';

type DialogProps = { title: string; onClose: () => void; wide?: boolean; children: ReactNode };

/** The browser's own modal dialog: begins in its first field, holds the focus, closes on Escape and gives the focus back. */
export function Dialog({ title, onClose, wide = false, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  // A layout effect: it has to be closed while it is still in the page, or the focus is not given back.
  useLayoutEffect(() => {
    const element = dialog.current;
    element?.showModal();
    // React's autoFocus comes while the dialog is closed, and the platform would take the button that closes it.
    element?.querySelector<HTMLElement>('.dialog-body :is(input, select, textarea)')?.focus();
    return () => {
      element?.close();
      const isNowhere = document.activeElement === document.body || element?.contains(document.activeElement);
      if (isNowhere) document.getElementById('main')?.focus(); // what had opened it went with what was deleted
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      className={wide ? 'dialog wide' : 'dialog'}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault(); // it ends by being rendered no more
        onClose();
      }}
    >
      <header>
        <h2 id={id}>{title}</h2>
        <Button kind="quiet" aria-label={texts.close} icon={<X aria-hidden />} onClick={onClose} />
      </header>
      <div className="dialog-body">{children}</div>
    </dialog>
  );
}

type Opener = {
  label: string;
  title?: string;
  kind?: 'primary' | 'plain' | 'danger' | 'quiet';
  icon?: ReactNode;
  wide?: boolean;
  children: (close: () => void) => ReactNode;
};

/** A button that opens a dialog. */
export function DialogButton({ label, title = label, kind = 'plain', icon, wide = false, children }: Opener) {
  const [isOpen, setIsOpen] = useState(false);
  const close = () => setIsOpen(false);
  return (
    <>
      <Button kind={kind} icon={icon} onClick={() => setIsOpen(true)}>
        {label}
      </Button>
      {isOpen && (
        <Dialog title={title} wide={wide} onClose={close}>
          {children(close)}
        </Dialog>
      )}
    </>
  );
}

const plain = (text: string): string => text.normalize().replace(/\s+/g, ' ').trim();

/** Whether a name was typed as it is read: pages show spaces as one, and keyboards write accents in one way. */
export const isTyped = (typed: string, name: string): boolean => plain(typed) === plain(name);

type ConfirmProps<Input, Output> = {
  title: string;
  /** What will be no more. */
  children: ReactNode;
  /** Has to be typed. */
  name: string;
  submit: string;
  act: Act<Input, Output>;
  input: Input;
  onClose: () => void;
  after?: () => unknown;
};

/** Asks for the name of what a destructive action is about. */
export function Confirm<Input, Output>(props: ConfirmProps<Input, Output>) {
  const { title, children, name, submit, act, input, onClose, after } = props;
  const [typed, setTyped] = useState('');
  const { reset } = act;
  useLayoutEffect(reset, [reset]); // what was refused about another thing is not said of this one
  return (
    <Dialog title={title} onClose={onClose}>
      <div className="prose">{children}</div>
      <Form
        act={act}
        input={() => input}
        submit={submit}
        kind="danger"
        canSubmit={isTyped(typed, name)}
        after={() => {
          onClose();
          after?.();
        }}
      >
        <Field
          name="confirmation"
          label={texts.typeToConfirm(name)}
          value={typed}
          onChange={({ target }) => setTyped(target.value)}
          autoComplete="off"
          spellCheck={false}
        />
      </Form>
    </Dialog>
  );
}

type ConfirmButtonProps<Input, Output> = Omit<ConfirmProps<Input, Output>, 'onClose'> & {
  label: string;
  icon?: ReactNode;
};

/** A button of a destructive action. */
export function ConfirmButton<Input, Output>({ label, icon, ...confirm }: ConfirmButtonProps<Input, Output>) {
  const [isOpen, setIsOpen] = useState(false);
  return (
    <>
      <Button kind="danger" icon={icon} onClick={() => setIsOpen(true)}>
        {label}
      </Button>
      {isOpen && <Confirm {...confirm} onClose={() => setIsOpen(false)} />}
    </>
  );
}
