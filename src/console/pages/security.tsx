import { useState } from 'react';
import { encode } from 'uqr';
import { useAct, usePost } from '../lib/calls.tsx';
import { useMe } from '../lib/session.ts';
import { useShown } from '../lib/shown.tsx';
import { texts } from '../texts.ts';
import { Badge } from '../ui/bits.tsx';
import { Button } from '../ui/button.tsx';
import { Dialog, DialogButton } from '../ui/dialog.tsx';
import { Download } from '../ui/download.tsx';
import { Field, Form } from '../ui/form.tsx';
import { Notice } from '../ui/notice.tsx';
import { Copyable, Page, Section } from '../ui/page.tsx';
import { CurrentPassword, NewPassword } from '../ui/password.tsx';

const t = texts.security;
type Enrolment = { totpURI: string; backupCodes: string[] };

export function Security() {
  const { twoFactorEnabled } = useMe();
  const [isEnrolling, setIsEnrolling] = useState(false);
  useShown({ method: 'POST', path: 'auth/two-factor/enable', input: { password: '…' } });
  useShown({ method: 'POST', path: 'auth/two-factor/verify-totp', input: { code: '…' } });
  return (
    <Page title={t.title}>
      <Section title={texts.password} about={t.passwordAbout}>
        <Password />
      </Section>
      <Section
        title={t.twoFactor}
        about={t.twoFactorAbout}
        actions={
          <Badge tone={twoFactorEnabled ? 'good' : 'plain'}>{twoFactorEnabled ? texts.on : texts.off}</Badge>
        }
      >
        <div className="buttons">
          {twoFactorEnabled ? (
            <>
              <DialogButton label={t.renew}>{(close) => <Renew onDone={close} />}</DialogButton>
              <DialogButton label={t.disable} kind="danger">
                {(close) => <Disable onDone={close} />}
              </DialogButton>
            </>
          ) : (
            <Button kind="primary" onClick={() => setIsEnrolling(true)}>
              {t.enable}
            </Button>
          )}
        </div>
      </Section>
      {/* Not beside its button, which goes when the factor is in force: the recovery codes are still to come. */}
      {isEnrolling && (
        <Dialog title={t.twoFactor} wide onClose={() => setIsEnrolling(false)}>
          <Enrol onDone={() => setIsEnrolling(false)} />
        </Dialog>
      )}
    </Page>
  );
}

function Password() {
  const [changes, setChanges] = useState(0);
  const update = useAct('user.update', {
    done: t.passwordChanged,
    sample: { currentPassword: '…', password: '…' },
  });
  return (
    <Form
      // a password that is taken does not stay on the page
      key={changes}
      act={update}
      input={(values) => ({
        currentPassword: values.text('currentPassword'),
        password: values.text('password'),
      })}
      submit={t.changePassword}
      after={() => setChanges(changes + 1)}
    >
      <div className="columns">
        <CurrentPassword />
        <NewPassword label={texts.passwords.newPassword} />
      </div>
    </Form>
  );
}

/** The password, then the code to scan, then a first code, then the recovery codes. */
function Enrol({ onDone }: { onDone: () => void }) {
  const enable = usePost<Enrolment>('auth/two-factor/enable');
  const confirm = usePost('auth/two-factor/verify-totp', { done: t.enabled });
  if (enable.data === undefined) {
    return (
      <Form act={enable} input={(values) => ({ password: values.text('password') })} submit={t.next}>
        <CurrentPassword name="password" />
      </Form>
    );
  }
  if (confirm.isSuccess) return <RecoveryCodes codes={enable.data.backupCodes} onDone={onDone} />;
  const secret = new URL(enable.data.totpURI).searchParams.get('secret') ?? '';
  return (
    <div className="enrol">
      <QrCode text={enable.data.totpURI} />
      <div>
        <p>{t.scan}</p>
        <Copyable text={secret} label={texts.copy} />
        <Form act={confirm} input={(values) => ({ code: values.text('code').trim() })} submit={t.confirm}>
          <Field
            name="code"
            label={texts.signIn.code}
            inputMode="numeric"
            autoComplete="one-time-code"
            required
            autoFocus
          />
        </Form>
      </div>
    </div>
  );
}

/** Drawn as squares, of which a page without inline markup is allowed. */
function QrCode({ text }: { text: string }) {
  const [{ data, size }] = useState(() => encode(text, { border: 2 }));
  const path = data
    .flatMap((row, y) => row.map((isDark, x) => (isDark ? `M${x} ${y}h1v1h-1z` : '')))
    .join('');
  return (
    <svg className="qr" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={t.qr}>
      <path d={path} />
    </svg>
  );
}

function RecoveryCodes({ codes, onDone }: { codes: string[]; onDone: () => void }) {
  return (
    <>
      <Notice>{t.recoveryAbout}</Notice>
      <ul className="codes">
        {codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ul>
      <div className="form-end">
        <Download name="tenantry-recovery-codes.txt" text={codes.join('\n')} />
        <Button kind="primary" onClick={onDone}>
          {texts.finished}
        </Button>
      </div>
    </>
  );
}

function Renew({ onDone }: { onDone: () => void }) {
  const renew = usePost<Pick<Enrolment, 'backupCodes'>>('auth/two-factor/generate-backup-codes');
  if (renew.data !== undefined) return <RecoveryCodes codes={renew.data.backupCodes} onDone={onDone} />;
  return (
    <Form act={renew} input={(values) => ({ password: values.text('password') })} submit={t.renew}>
      <CurrentPassword name="password" />
    </Form>
  );
}

function Disable({ onDone }: { onDone: () => void }) {
  const disable = usePost('auth/two-factor/disable', { done: t.disabled });
  return (
    <Form
      act={disable}
      input={(values) => ({ password: values.text('password') })}
      submit={t.disable}
      kind="danger"
      after={onDone}
    >
      <CurrentPassword name="password" />
    </Form>
  );
}
