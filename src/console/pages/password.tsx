import { Link } from '@tanstack/react-router';
import { usePost } from '../lib/calls.tsx';
import { useParameter } from '../lib/enter.ts';
import { texts } from '../texts.ts';
import { Field, Form } from '../ui/form.tsx';
import { Notice } from '../ui/notice.tsx';
import { Page } from '../ui/page.tsx';
import { NewPassword } from '../ui/password.tsx';

const t = texts.passwords;

export function ForgotPassword() {
  const ask = usePost<{ message: string }>('auth/request-password-reset', {
    sample: { email: 'you@example.org' },
  });
  return (
    <Page title={t.forgot} about={t.forgotAbout}>
      {ask.isSuccess ? (
        <Notice>{ask.data.message}</Notice>
      ) : (
        <Form act={ask} input={(values) => ({ email: values.text('email') })} submit={t.ask}>
          <Field name="email" label={texts.email} type="email" autoComplete="username" required autoFocus />
        </Form>
      )}
      <p className="links">
        <Link to="/sign-in">{t.back}</Link>
      </p>
    </Page>
  );
}

/** Where the link of the mail leads. */
export function ResetPassword() {
  const token = useParameter('token');
  const choose = usePost('auth/reset-password', { sample: { token: '…', newPassword: '…' } });
  return (
    <Page title={t.choose}>
      {choose.isSuccess ? (
        <Notice>{t.chosen}</Notice>
      ) : (
        <Form
          act={choose}
          input={(values) => ({ token, newPassword: values.text('newPassword') })}
          submit={t.use}
        >
          <NewPassword name="newPassword" label={t.newPassword} />
        </Form>
      )}
      <p className="links">
        <Link to="/sign-in">{t.back}</Link>
      </p>
    </Page>
  );
}
