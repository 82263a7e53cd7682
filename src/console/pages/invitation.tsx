import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { post } from '../lib/api.ts';
import { useAct, usePost, useRead, useSending } from '../lib/calls.tsx';
import { useEnter, useParameter } from '../lib/enter.ts';
import { ME } from '../lib/session.ts';
import { texts } from '../texts.ts';
import { Button } from '../ui/button.tsx';
import { Form } from '../ui/form.tsx';
import { Skeleton } from '../ui/list.tsx';
import { Notice, Problem } from '../ui/notice.tsx';
import { Page } from '../ui/page.tsx';
import { RegistrationForm } from '../ui/registration.tsx';

const t = texts.invitation;

/** Where the link of an invitation's mail leads: sign in or up, then join. */
export function Invitation() {
  const token = useParameter('token');
  const preview = useRead('invitation.preview', { token }, { staleTime: Number.POSITIVE_INFINITY });
  const me = useQuery(ME);
  if (preview.error !== null && preview.data === undefined) {
    return (
      <Page title={t.title}>
        <Problem>{preview.error.message}</Problem>
        {preview.error.status === 404 && <p className="about">{t.gone}</p>}
        <p className="links">
          <Link to="/">{texts.toConsole}</Link>
        </p>
      </Page>
    );
  }
  if (preview.data === undefined || me.data === undefined) return <Skeleton />;
  const { organizationName, inviterName, role, email } = preview.data;
  return (
    <Page title={t.join(organizationName)} about={t.about(inviterName, role)}>
      {me.data === null ? (
        <SignUpOrIn token={token} email={email} />
      ) : me.data.email === email ? (
        <Answer token={token} />
      ) : (
        <SomebodyElse signedIn={me.data.email} invited={email} />
      )}
    </Page>
  );
}

function SignUpOrIn({ token, email }: { token: string; email: string }) {
  const enter = useEnter();
  const signUp = usePost('auth/sign-up/email', {
    sample: { email, password: '…', name: 'Ada Lovelace', invitationToken: token },
  });
  const next = `/invitation?${new URLSearchParams({ token })}`;
  return (
    <>
      <RegistrationForm
        act={signUp}
        submit={t.signUp}
        after={enter}
        invited={{ email, invitationToken: token }}
      />
      <p className="links">
        <Link to="/sign-in" search={{ next }}>
          {t.signIn}
        </Link>
      </p>
    </>
  );
}

function Answer({ token }: { token: string }) {
  const enter = useEnter();
  const [isTurnedDown, setIsTurnedDown] = useState(false);
  const accept = useAct('invitation.accept', { sample: { token } });
  const reject = useAct('invitation.reject', { sample: { token } });
  const choose = useAct('organization.setActive'); // so that one arrives where one has joined
  if (isTurnedDown) return <Notice>{t.rejected}</Notice>;
  return (
    <>
      <Form
        act={accept}
        input={() => ({ token })}
        submit={t.accept}
        after={({ organizationId }) => choose.mutate({ organizationId }, { onSettled: enter })}
      />
      <p className="links">
        <Button
          isBusy={reject.isPending}
          onClick={() => reject.mutate({ token }, { onSuccess: () => setIsTurnedDown(true) })}
        >
          {t.reject}
        </Button>
      </p>
      {reject.error !== null && <Problem>{reject.error.message}</Problem>}
    </>
  );
}

function SomebodyElse({ signedIn, invited }: { signedIn: string; invited: string }) {
  const signOut = useSending(() => post('auth/sign-out', {}));
  return (
    <>
      <Notice>{t.forAnother(invited, signedIn)}</Notice>
      <Button kind="primary" isBusy={signOut.isPending} onClick={() => signOut.mutate(undefined)}>
        {texts.nav.signOut}
      </Button>
      {signOut.error !== null && <Problem>{signOut.error.message}</Problem>}
    </>
  );
}
