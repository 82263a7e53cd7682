import { useState } from 'react';
import { PASSWORD_MIN_LENGTH, PASSWORD_RULES, passwordProblem } from '../../kernel/password.ts';
import { texts } from '../texts.ts';
import { Field } from './form.tsx';

/** The password of who is signed in, for what asks for it again. */
export const CurrentPassword = ({ name = 'currentPassword' }: { name?: string }) => (
  <Field name={name} label={texts.currentPassword} type="password" autoComplete="current-password" required />
);

/** A new password, checked by the rules of the service while it is typed. */
export function NewPassword({
  name = 'password',
  label = texts.password,
}: {
  name?: string;
  label?: string;
}) {
  const [typed, setTyped] = useState('');
  return (
    <Field
      name={name}
      label={label}
      type="password"
      autoComplete="new-password"
      required
      hint={typed === '' || passwordProblem(typed) !== undefined ? PASSWORD_RULES : texts.passwords.good}
      problem={typed.length >= PASSWORD_MIN_LENGTH ? passwordProblem(typed) : undefined}
      value={typed}
      onChange={({ target }) => setTyped(target.value)}
    />
  );
}
