import { factorForm, type Page } from './page.ts';

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
${factorForm('Sign in and join')}
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
  ...signIn(join),
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
