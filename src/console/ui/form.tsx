import {
  type ChangeEvent,
  type ComponentProps,
  createContext,
  type FormEvent,
  type ReactNode,
  useContext,
  useId,
  useRef,
} from 'react';
import type { CallError } from '../lib/api.ts';
import type { Act } from '../lib/calls.tsx';
import { Button } from './button.tsx';
import { Problem } from './notice.tsx';

/** What was typed into a form. */
export class Values {
  readonly #data: FormData;
  constructor(form: HTMLFormElement) {
    this.#data = new FormData(form);
  }
  text = (name: string): string => String(this.#data.get(name) ?? '');
  /** Undefined for an empty field. */
  given = (name: string): string | undefined => this.text(name).trim() || undefined;
  number = (name: string): number => Number(this.text(name));
  givenNumber = (name: string): number | undefined =>
    this.given(name) === undefined ? undefined : this.number(name);
  isOn = (name: string): boolean => this.#data.has(name);
  all = (name: string): string[] => this.#data.getAll(name).map(String);
  file = (name: string): FormDataEntryValue => this.#data.get(name) ?? '';
}

/** The fields that are not as they were shown: to send the others could undo a change of somebody else. */
export const changesOf = <T extends object>(typed: T, shown: NoInfer<T>): Partial<T> =>
  Object.fromEntries(
    Object.entries(typed).filter(
      ([name, value]) => JSON.stringify(value) !== JSON.stringify(Reflect.get(shown, name)),
    ),
  ) as Partial<T>;

const Problems = createContext<Readonly<Record<string, string>>>({});

type FormProps<Input, Output> = {
  act: Act<Input, Output>;
  /** What is sent, out of what was typed. */
  input: (values: Values) => Input;
  submit: string;
  kind?: 'primary' | 'danger';
  icon?: ReactNode;
  /** What follows when it is done. */
  after?: (output: Output) => unknown;
  /** Empties the fields when it is done. */
  clears?: boolean;
  canSubmit?: boolean;
  /** In one line, the button at its end. */
  inline?: boolean;
  children?: ReactNode;
};

/** A form whose button sends; the service's refusals stand beside the fields that they name, or above the button. */
export function Form<Input, Output>(props: FormProps<Input, Output>) {
  const {
    act,
    input,
    submit,
    kind = 'primary',
    icon,
    after,
    clears = false,
    canSubmit = true,
    inline = false,
  } = props;
  const form = useRef<HTMLFormElement>(null);
  const fields = act.error?.fields ?? {};
  /** Fields that say what is wrong with them have this attribute; checkboxes have no place for it. */
  const saysIt = (name: string) =>
    form.current?.querySelector(`[name="${CSS.escape(name)}"][aria-invalid]`) != null;
  const isElsewhere = act.error !== null && !Object.keys(fields).some(saysIt);
  const onSubmit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    event.stopPropagation(); // a form in a dialog is, for React, inside the form that opened it
    const element = event.currentTarget;
    // Not by the callbacks of `mutate`, which are for forms that are still there: many a one goes with what it deletes.
    act.mutateAsync(input(new Values(element))).then(
      (output) => {
        if (clears) element.reset();
        after?.(output);
      },
      ({ fields }: CallError) => {
        const first = [...element.elements].find(
          (control) => control instanceof HTMLElement && 'name' in control && String(control.name) in fields,
        );
        if (first instanceof HTMLElement) first.focus();
      },
    );
  };
  return (
    <form ref={form} className={inline ? 'form inline' : 'form'} onSubmit={onSubmit}>
      <Problems value={fields}>{props.children}</Problems>
      {isElsewhere && act.error !== null && <Problem>{act.error.message}</Problem>}
      <div className="form-end">
        <Button type="submit" kind={kind} icon={icon} isBusy={act.isPending} disabled={!canSubmit}>
          {submit}
        </Button>
      </div>
    </form>
  );
}

type FieldProps = {
  name: string;
  label: string;
  hint?: ReactNode;
  /** What is wrong with it while it is being typed. */
  problem?: string | undefined;
};

/** A label, a control and what there is to say about it. */
function Labelled({
  name,
  label,
  hint,
  problem,
  children,
}: FieldProps & { children: (ids: Described) => ReactNode }) {
  const id = useId();
  const fault = useContext(Problems)[name] ?? problem;
  const note = fault ?? hint;
  return (
    <div className={fault === undefined ? 'field' : 'field faulty'}>
      <label htmlFor={id}>{label}</label>
      {children({
        id,
        'aria-invalid': fault !== undefined,
        ...(note === undefined ? {} : { 'aria-describedby': `${id}-note` }),
      })}
      {note !== undefined && (
        <p className="note" id={`${id}-note`} role={fault === undefined ? undefined : 'alert'}>
          {note}
        </p>
      )}
    </div>
  );
}
type Described = { id: string; 'aria-invalid': boolean; 'aria-describedby'?: string };

export function Field({
  label,
  hint,
  problem,
  ...input
}: FieldProps & Omit<ComponentProps<'input'>, 'name'>) {
  return (
    <Labelled name={input.name} label={label} hint={hint} problem={problem}>
      {(ids) => <input {...input} {...ids} />}
    </Labelled>
  );
}

export function TextArea({
  label,
  hint,
  problem,
  ...input
}: FieldProps & Omit<ComponentProps<'textarea'>, 'name'>) {
  return (
    <Labelled name={input.name} label={label} hint={hint} problem={problem}>
      {(ids) => <textarea rows={4} {...input} {...ids} />}
    </Labelled>
  );
}

type SelectProps = FieldProps & {
  options: readonly (string | { value: string; label: string })[];
  defaultValue?: string | undefined;
  value?: string;
  onChange?: (event: ChangeEvent<HTMLSelectElement>) => void;
  disabled?: boolean;
};

export function Select({ label, hint, problem, options, ...select }: SelectProps) {
  return (
    <Labelled name={select.name} label={label} hint={hint} problem={problem}>
      {(ids) => (
        <select {...select} {...ids}>
          {options.map((option) => {
            const { value, label } = typeof option === 'string' ? { value: option, label: option } : option;
            return (
              <option key={value} value={value}>
                {label}
              </option>
            );
          })}
        </select>
      )}
    </Labelled>
  );
}

export function Check({ label, hint, ...input }: { label: string; hint?: string } & ComponentProps<'input'>) {
  const id = useId();
  return (
    <div className="check">
      <input
        type="checkbox"
        id={id}
        {...input}
        aria-describedby={hint === undefined ? undefined : `${id}-note`}
      />
      <label htmlFor={id}>{label}</label>
      {hint !== undefined && (
        <p className="note" id={`${id}-note`}>
          {hint}
        </p>
      )}
    </div>
  );
}
