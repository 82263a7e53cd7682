import type { FastifyInstance } from 'fastify';

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; frame-ancestors 'none'";

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>Invitation</title>
<link rel="stylesheet" href="/invitation.css">
<script src="/invitation.js" defer></script>
</head>
<body>
<main>
<h1>Invitation</h1>
<p id="message" role="status">Reading the invitation…</p>
<form id="account" hidden>
<label>Name (for a new account) <input name="name" maxlength="128" autocomplete="name"></label>
<label>E-mail <input name="email" type="email" readonly autocomplete="username"></label>
<label>Password <input name="password" type="password" required maxlength="128" autocomplete="current-password"></label>
<button name="action" value="sign-in">Sign in and join</button>
<button name="action" value="sign-up">Create an account and join</button>
</form>
<form id="answer" hidden>
<button name="action" value="accept">Join</button>
<button name="action" value="reject">Turn it down</button>
</form>
</main>
</body>
</html>
`;

const STYLE = `body{font:16px/1.5 system-ui,sans-serif;margin:0;background:#f6f7f9;color:#1b1f24}
main{max-width:28rem;margin:10vh auto;padding:2rem;background:#fff;border:1px solid #d8dde3;border-radius:8px}
label{display:block;margin:0 0 .75rem}input{display:block;width:100%;box-sizing:border-box;padding:.5rem;font:inherit}
button{font:inherit;padding:.5rem 1rem;margin:.25rem .5rem .25rem 0}
`;

const SCRIPT = `const token = new URLSearchParams(location.search).get('token') ?? '';
const message = document.getElementById('message');
const forms = { account: document.getElementById('account'), answer: document.getElementById('answer') };
const show = (name) => { for (const [key, form] of Object.entries(forms)) form.hidden = key !== name; };
async function call(path, body) {
  const init = body && { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  const response = await fetch('/api/' + path, init);
  const data = await response.json();
  if (!response.ok) throw new Error(data.message);
  return data;
}
async function start() {
  const invitation = await call('invitation.preview?token=' + encodeURIComponent(token));
  const session = await call('auth/get-session');
  message.textContent = invitation.inviterName + ' invites you to join ' + invitation.organizationName + ' as ' + invitation.role + '.';
  forms.account.email.value = invitation.email;
  show(session && session.user.email === invitation.email ? 'answer' : 'account');
}
async function finish(path, text) {
  await call(path, { token });
  show('');
  message.textContent = text;
}
const steps = {
  async 'sign-in'(form) {
    await call('auth/sign-in/email', { email: form.email.value, password: form.password.value });
    await finish('invitation.accept', 'You have joined.');
  },
  async 'sign-up'(form) {
    const name = form.name.value.trim() || form.email.value.split('@')[0];
    await call('auth/sign-up/email', { email: form.email.value, password: form.password.value, name, invitationToken: token });
    show('');
    message.textContent = 'Your account is made, and you have joined.';
  },
  accept: () => finish('invitation.accept', 'You have joined.'),
  reject: () => finish('invitation.reject', 'You have turned the invitation down.'),
};
for (const form of Object.values(forms)) {
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    try { await steps[event.submitter.value](form.elements); } catch (error) { message.textContent = error.message; }
  });
}
start().catch((error) => { message.textContent = error.message; });
`;

/** Where the link of an invitation's mail leads: sign in or up, then join. */
export function invitationPage(app: FastifyInstance): void {
  const serve = (url: string, type: string, text: string) =>
    app.get(url, (_request, reply) =>
      reply
        .header('content-security-policy', POLICY)
        .header('cache-control', 'no-cache')
        .header('content-type', `${type}; charset=utf-8`)
        .send(text),
    );
  serve('/invitation', 'text/html', PAGE);
  serve('/invitation.css', 'text/css', STYLE);
  serve('/invitation.js', 'text/javascript', SCRIPT);
}
