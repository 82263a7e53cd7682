import type { Page } from './page.ts';

/** Where the link of a mail that asks to confirm an address leads. */
export const verifyEmailPage: Page = {
  name: 'verify-email',
  title: 'Confirm your e-mail address',
  content: `<p id="message" role="status">Press the button to confirm that this address is yours.</p>
<form id="confirm">
<button name="action" value="confirm">Confirm the address</button>
</form>`,
  script: `take({
  async confirm() {
    const { email } = await call('auth/verify-email', { token });
    show('');
    say(email + ' is confirmed.');
  },
});
`,
};
