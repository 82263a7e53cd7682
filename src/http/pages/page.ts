import type { FastifyInstance } from 'fastify';

/** A page that a mail's link leads to. It changes nothing by being opened, and brings all that it needs. */
export type Page = {
  /** Its path, and what its script is called. */
  name: string;
  title: string;
  /** HTML below the title; every form in it is answered by one of the script's steps. */
  content: string;
  /** Runs after `COMMON`. */
  script: string;
};

/** The form `factor`, whose button says what follows. */
export const factorForm = (button: string): string => `<form id="factor" hidden>
<label>Code of your authenticator app, or a recovery code
<input name="code" required maxlength="64" autocomplete="one-time-code"></label>
<button name="action" value="second-factor">${button}</button>
</form>`;

/** Without its script no form is sent anywhere, so that no password gets into an address. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; " +
  "form-action 'none'; frame-ancestors 'none'";

const STYLE = `body{font:16px/1.5 system-ui,sans-serif;margin:0;background:#f6f7f9;color:#1b1f24}
main{max-width:28rem;margin:10vh auto;padding:2rem;background:#fff;border:1px solid #d8dde3;border-radius:8px}
label{display:block;margin:0 0 .75rem}input{display:block;width:100%;box-sizing:border-box;padding:.5rem;font:inherit}
button{font:inherit;padding:.5rem 1rem;margin:.25rem .5rem .25rem 0}
`;

/**
 * What the scripts share: the token of the link, calls of our procedures, the steps of signing in (with the forms
 * `account` and `factor`), and the step that a pressed button names.
 */
const COMMON = `const token = new URLSearchParams(location.search).get('token') ?? '';
const message = document.getElementById('message');
const say = (text) => { message.textContent = text; };
const forms = Object.fromEntries(Array.from(document.forms, (form) => [form.id, form]));
const show = (name) => { for (const [id, form] of Object.entries(forms)) form.hidden = id !== name; };
async function call(path, body) {
  const init = body && { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  const response = await fetch('/api/' + path, init);
  const data = await response.json();
  if (!response.ok) throw Object.assign(new Error(data.message), { reason: data.data.reason });
  return data;
}
const signIn = (next) => ({
  async 'sign-in'(form) {
    const answer = await call('auth/sign-in/email', { email: form.email.value, password: form.password.value });
    if (!answer.twoFactorRedirect) return next();
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
    await next();
  },
});
function take(steps) {
  for (const form of Object.values(forms)) {
    form.addEventListener('submit', async (event) => {
      event.preventDefault();
      const { submitter } = event;
      submitter.disabled = true;
      try { await steps[submitter.value](form.elements); } catch (error) { say(error.message); }
      submitter.disabled = false;
    });
  }
}
`;

const htmlOf = ({ name, title, content }: Page) => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<link rel="stylesheet" href="/page.css">
<script src="/${name}.js" defer></script>
</head>
<body>
<main>
<h1>${title}</h1>
${content}
</main>
</body>
</html>
`;

/** Serves one file of a page to everybody, under its policy. */
function serve(app: FastifyInstance, url: string, type: string, text: string): void {
  app.get(url, (_request, reply) =>
    reply
      .header('content-security-policy', POLICY)
      .header('referrer-policy', 'no-referrer')
      .header('cache-control', 'no-cache')
      .header('content-type', `${type}; charset=utf-8`)
      .send(text),
  );
}

export function servePages(app: FastifyInstance, pages: readonly Page[]): void {
  serve(app, '/page.css', 'text/css', STYLE);
  for (const page of pages) {
    serve(app, `/${page.name}`, 'text/html', htmlOf(page));
    serve(app, `/${page.name}.js`, 'text/javascript', COMMON + page.script);
  }
}
