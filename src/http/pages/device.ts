import { factorForm, type Page } from './page.ts';

/** Where a device sends people to type its user code (RFC 8628, section 3.3). */
export const devicePage: Page = {
  name: 'device',
  title: 'Let a device in',
  content: `<p id="message" role="status">One moment…</p>
<form id="account" hidden>
<label>E-mail <input name="email" type="email" required maxlength="254" autocomplete="username"></label>
<label>Password <input name="password" type="password" required maxlength="128" autocomplete="current-password"></label>
<button name="action" value="sign-in">Sign in</button>
</form>
${factorForm('Sign in')}
<form id="device" hidden>
<label>Code that the device shows <input name="code" required maxlength="64" autocomplete="off"></label>
<button name="action" value="look">Continue</button>
</form>
<form id="answer" hidden>
<button name="action" value="own">Let it in for myself</button>
<button name="action" value="organization">Let it in for my organization</button>
<button name="action" value="deny">Turn it down</button>
</form>`,
  script: `let userCode = new URLSearchParams(location.search).get('user_code') ?? '';
let organization = null;
function ask() {
  forms.device.elements.code.value = userCode;
  show('device');
  say('Type the code, and go on only if the device in front of you shows the same.');
}
async function finish(path, text, more) {
  await call('tunnelDevice.' + path, { userCode, ...more });
  show('');
  say(text);
}
async function start() {
  if (await call('auth/get-session')) return ask();
  show('account');
  say('Sign in to let a device in.');
}
take({
  ...signIn(ask),
  async look(form) {
    userCode = form.code.value;
    const device = await call('tunnelDevice.preview?userCode=' + encodeURIComponent(userCode));
    organization = await call('organization.active');
    show('answer');
    say('“' + device.name + '” asks from ' + (device.ipAddress ?? 'an unknown address') + '. Let it in for yourself'
      + (organization ? ', or for ' + organization.name : '') + '?');
  },
  own: () => finish('approve', 'The device is yours. It goes on by itself.'),
  organization() {
    if (!organization) throw new Error('You belong to no organization.');
    return finish('approve', 'The device belongs to ' + organization.name + '. It goes on by itself.', { organizationId: organization.id });
  },
  deny: () => finish('deny', 'The device is turned down.'),
});
start().catch((error) => say(error.message));
`,
};
