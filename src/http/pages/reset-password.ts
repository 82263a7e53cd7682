import { PASSWORD_MAX_LENGTH, PASSWORD_RULES } from '../../kernel/password.ts';
import type { Page } from './page.ts';

const password = `type="password" required maxlength="${PASSWORD_MAX_LENGTH}" autocomplete="new-password"`;

/** Where the link of a mail to who forgot a password leads. */
export const resetPasswordPage: Page = {
  name: 'reset-password',
  title: 'Choose a new password',
  content: `<p id="message" role="status">${PASSWORD_RULES}</p>
<form id="choose">
<label>New password <input name="password" ${password}></label>
<label>The same again <input name="repeated" ${password}></label>
<button name="action" value="choose">Use this password</button>
</form>`,
  script: `take({
  async choose(form) {
    if (form.password.value !== form.repeated.value) throw new Error('The two passwords are not the same.');
    await call('auth/reset-password', { token, newPassword: form.password.value });
    show('');
    say('Your password is changed, and every session has ended. Sign in with the new one.');
  },
});
`,
};
