import { Link, useSearch } from '@tanstack/react-router';
import { usePost } from '../lib/calls.tsx';
import { useEnter } from '../lib/enter.ts';
import { texts } from '../texts.ts';
import { Page } from '../ui/page.tsx';
import { RegistrationForm } from '../ui/registration.tsx';

const t = texts.signUp;

export function SignUp() {
  const { next } = useSearch({ strict: false });
  const enter = useEnter();
  const signUp = usePost('auth/sign-up/email', {
    sample: { email: 'you@example.org', password: '…', name: 'Ada Lovelace' },
  });
  return (
    <Page title={t.title} about={t.about}>
      <RegistrationForm act={signUp} submit={t.submit} after={enter} />
      <p className="links">
        <Link to="/sign-in" search={next === undefined ? {} : { next }}>
          {t.signIn}
        </Link>
      </p>
    </Page>
  );
}
