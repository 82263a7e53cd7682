import { Link } from '@tanstack/react-router';
import { usePost } from '../lib/calls.tsx';
import { useParameter } from '../lib/enter.ts';
import { texts } from '../texts.ts';
import { Form } from '../ui/form.tsx';
import { Notice } from '../ui/notice.tsx';
import { Page } from '../ui/page.tsx';

const t = texts.verify;

/** Where the link of the mail leads; nothing is confirmed by opening it. */
export function VerifyEmail() {
  const token = useParameter('token');
  const confirm = usePost<{ email: string }>('auth/verify-email', { sample: { token: '…' } });
  return (
    <Page title={t.title} about={t.about}>
      {confirm.isSuccess ? (
        <Notice>{t.confirmed(confirm.data.email)}</Notice>
      ) : (
        <Form act={confirm} input={() => ({ token })} submit={t.confirm} />
      )}
      <p className="links">
        <Link to="/">{texts.toConsole}</Link>
      </p>
    </Page>
  );
}
