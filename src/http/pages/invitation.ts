import type { Page } from './page.ts';

/** Where the link of an invitation's mail leads: sign in or up, then join. */
export const invitationPage: Page = {
  name: 'invitation',
  title: 'Invitation',
  content: `<p id="message" role="status">Reading the invitation…</p>
<form id="account" hidden>
<label>Name (for a new account) <input name="name" maxlength="128" autocomplete="name"></label>
<label>E-mail <input name="email" type="email" readonly autocomplete="username"></label>
<label>Password <input name="password" type="password" required maxlength="128" autocomplete="current-password"></label>
<button name="action" value="sign-in">Sign in and join</button>
<button name="action" value="sign-up">Create an account and join</button>
</form>
<form id="factor" hidden>
<label>Code of your authenticator app, or a recovery code
<input name="code" required maxlength="64" autocomplete="one-time-code"></label>
<button name="action" value="second-factor">Sign in and join</button>
</form>
<form id="answer" hidden>
<button name="action" value="accept">Join</button>
<button name="action" value="reject">Turn it down</button>
</form>`,
  script: `async function start() {
  const invitation = await call('invitation.preview?token=' + encodeURIComponent(token));
  const session = await call('auth/get-session');
  say(invitation.inviterName + ' invites you to join ' + invitation.organizationName + ' as ' + invitation.role + '.');
  forms.account.elements.email.value = invitation.email;
  show(session && session.user.email === invitation.email ? 'answer' : 'account');
}
async function finish(path, text) {
  await call(path, { token });
  show('');
  say(text);
}
async function join() {
  show('answer');
  await finish('invitation.accept', 'You have joined.');
}
take({
  async 'sign-in'(form) {
    const answer = await call('auth/sign-in/email', { email: form.email.value, password: form.password.value });
    if (!answer.twoFactorRedirect) return join();
    show('factor');
    say('Your account asks for a second factor.');
  },
  async 'second-factor'(form) {
    const code = form.code.value.trim();
    const kind = /^\\d{6}$/.test(code) ? 'verify-totp' : 'verify-backup-code';
    try {
      await call('auth/two-factor/' + kind, { code });
    } catch (error) {
      if (error.reason === 'two_factor_expired') show('account');
      throw error;
    }
    await join();
  },
  async 'sign-up'(form) {
    const name = form.name.value.trim() || form.email.value.split('@')[0];
    await call('auth/sign-up/email', { email: form.email.value, password: form.password.value, name, invitationToken: token });
    show('');
    say('Your account is made, and you have joined.');
  },
  accept: () => finish('invitation.accept', 'You have joined.'),
  reject: () => finish('invitation.reject', 'You have turned the invitation down.'),
});
start().catch((error) => say(error.message));
`,
};
