import { Link, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { usePost } from '../lib/calls.tsx';
import { useEnter } from '../lib/enter.ts';
import { texts } from '../texts.ts';
import { Check, Field, Form } from '../ui/form.tsx';
import { Page } from '../ui/page.tsx';

const t = texts.signIn;
type Answer = { twoFactorRedirect?: true };

/** The password first, then the second factor where the account has one. */
export function SignIn() {
  const { next } = useSearch({ strict: false });
  const [needsCode, setNeedsCode] = useState(false);
  const enter = useEnter();
  const signIn = usePost<Answer>('auth/sign-in/email', {
    sample: { email: 'you@example.org', password: '…' },
  });
  if (needsCode) return <SecondFactor onExpired={() => setNeedsCode(false)} />;
  return (
    <Page title={t.title}>
      <Form
        act={signIn}
        input={(values) => ({
          email: values.text('email'),
          password: values.text('password'),
          rememberMe: values.isOn('rememberMe'),
        })}
        submit={t.submit}
        after={({ twoFactorRedirect }) => (twoFactorRedirect ? setNeedsCode(true) : enter())}
      >
        <Field name="email" label={texts.email} type="email" autoComplete="username" required autoFocus />
        <Field
          name="password"
          label={texts.password}
          type="password"
          autoComplete="current-password"
          required
        />
        <Check name="rememberMe" label={t.remember} defaultChecked />
      </Form>
      <p className="links">
        <Link to="/forgot-password">{t.forgot}</Link>
        <Link to="/sign-up" search={next === undefined ? {} : { next }}>
          {t.signUp}
        </Link>
      </p>
    </Page>
  );
}

function SecondFactor({ onExpired }: { onExpired: () => void }) {
  const enter = useEnter();
  const [isRecovery, setIsRecovery] = useState(false);
  const path = isRecovery ? 'auth/two-factor/verify-backup-code' : 'auth/two-factor/verify-totp';
  const verify = usePost(path, { sample: { code: '…' } });
  return (
    <Page title={t.secondFactor} about={isRecovery ? t.recoveryAbout : t.codeAbout}>
      <Form
        key={path}
        act={verify}
        input={(values) => ({ code: values.text('code').trim() })}
        submit={t.submit}
        after={enter}
      >
        <Field
          name="code"
          label={isRecovery ? t.recoveryCode : t.code}
          autoComplete="one-time-code"
          inputMode={isRecovery ? 'text' : 'numeric'}
          required
          autoFocus
        />
      </Form>
      <p className="links">
        <button type="button" className="link" onClick={() => setIsRecovery(!isRecovery)}>
          {isRecovery ? t.useCode : t.useRecovery}
        </button>
        <button type="button" className="link" onClick={onExpired}>
          {t.startOver}
        </button>
      </p>
    </Page>
  );
}
