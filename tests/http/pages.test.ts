import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { invite, linkFor, newEnrolment } from '../api/stage.ts';
import { browser, SESSION_COOKIE } from '../support/browser.ts';
import { createHarness, type Harness, PASSWORD } from '../support/harness.ts';
import { askForLink } from '../support/links.ts';
import { openPage } from '../support/page.ts';
import { enableTwoFactor, nextCode } from '../support/two-factor.ts';

const NEW_PASSWORD = 'Better-horse-2';

let h: Harness;
beforeAll(async () => {
  h = await createHarness();
});
afterAll(() => h[Symbol.asyncDispose]());

const pathOf = (link: string | URL) => {
  const { pathname, search } = new URL(link);
  return pathname + search;
};

test.each(['/device', '/invitation', '/verify-email', '/reset-password'])(
  '%s brings all that it needs, sends no form by itself, and hands its token to nobody',
  async (path) => {
    const { status, text, headers } = await h.anonymous.send(`${path}?token=x`, {});
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(headers.get('content-security-policy')).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(text).not.toMatch(/<script>|<style|style="|\son\w+=|https?:/);
    const urls = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url]) => url ?? '');
    expect(urls).toEqual(['/page.css', `${path}.js`]);
    for (const url of urls) expect((await h.anonymous.send(url, {})).status).toBe(200);
  },
);

describe('/verify-email', () => {
  test('changes nothing when it is opened, and confirms by its button', async () => {
    const { id, email } = await h.user({ verified: false });
    const link = await askForLink(h, email, 'verify');
    const page = await openPage(h, pathOf(link));
    const isVerified = async () =>
      (await h.sql`select email_verified from users where id = ${id}`)[0]?.emailVerified;
    expect(await isVerified()).toBe(false);
    await page.press('confirm');
    await page.says(`${email} is confirmed.`);
    expect(await isVerified()).toBe(true);
    expect(page.shown()).toEqual([]);

    const again = await openPage(h, pathOf(link));
    await again.press('confirm');
    await again.says('wrong, used or too old');
  });
});

describe('/device', () => {
  const stateOf = async (deviceCode: string) => {
    const { body } = await h.anonymous.post('tunnelDevice.poll', { deviceCode });
    return body.data?.reason ?? body;
  };

  test('has people sign in, shows who asks, and lets the device in for oneself', async () => {
    const [{ id, email }, { deviceCode, userCode }] = [await h.user(), await newEnrolment(h)];
    const page = await openPage(h, `/device?user_code=${userCode}`);
    await page.says('Sign in');
    await page.press('sign-in', { email, password: PASSWORD });
    await page.says('shows the same');
    await page.press('look');
    await page.says(/“spare” asks from an unknown address\. .*, or for User/);
    expect(await stateOf(deviceCode)).toBe('authorization_pending'); // looking changes nothing
    await page.press('own');
    await page.says('The device is yours.');
    expect(page.shown()).toEqual([]);
    expect(await stateOf(deviceCode)).toMatchObject({ userId: id, organizationId: null });
  });

  test('lets it in for the active organization, or turns it down', async () => {
    const { id, owner } = await h.organization();
    const visitor = browser(h);
    await visitor.signIn(owner.email, PASSWORD);
    await visitor.post('organization.setActive', { organizationId: id });
    for (const [button, says] of [
      ['organization', 'belongs to Acme'],
      ['deny', 'turned down'],
    ] as const) {
      const { deviceCode, userCode } = await newEnrolment(h);
      const page = await openPage(h, '/device', visitor);
      await page.says('shows the same');
      await page.press('look', { code: 'BBBB-BBBB' });
      await page.says('User code not found.');
      await page.press('look', { code: userCode.toLowerCase() });
      await page.press(button);
      await page.says(says);
      const state = await stateOf(deviceCode);
      if (button === 'deny') expect(state).toBe('access_denied');
      else expect(state).toMatchObject({ userId: null, organizationId: id });
    }
  });

  test('asks for the second factor of who has one', async () => {
    const ada = await h.user();
    const factor = await enableTwoFactor(h, ada);
    nextCode(h);
    const page = await openPage(h, '/device');
    await page.says('Sign in');
    await page.press('sign-in', { email: ada.email, password: PASSWORD });
    await page.press('second-factor', { code: factor.code() });
    await page.says('shows the same');
    expect(page.shown()).toEqual(['device']);
  });
});

describe('/reset-password', () => {
  test('says the rules, wants the password twice, and sets it', async () => {
    const { email } = await h.user();
    const page = await openPage(h, pathOf(await askForLink(h, email, 'reset')));
    await page.says(
      '8 to 128 characters, among them an upper-case letter, a lower-case letter, a digit, a symbol',
    );
    await page.press('choose', { password: NEW_PASSWORD, repeated: PASSWORD });
    await page.says('not the same');
    await page.press('choose', { password: 'weak-horse', repeated: 'weak-horse' });
    await page.says('The password needs an upper-case letter, a digit.');
    await page.press('choose', { password: NEW_PASSWORD, repeated: NEW_PASSWORD });
    await page.says('Your password is changed');
    expect(page.shown()).toEqual([]);
    expect((await browser(h).signIn(email, NEW_PASSWORD)).status).toBe(200);
  });
});

describe('/invitation', () => {
  async function invited() {
    const invitee = await h.user();
    const { id, owner } = await h.organization();
    await invite(owner, id, invitee.email);
    const isMember = async () =>
      (await h.sql`select 1 from memberships where organization_id = ${id} and user_id = ${invitee.id}`)
        .length === 1;
    return { invitee, path: pathOf(await linkFor(h, invitee.email)), isMember };
  }

  test('has an account sign in and join', async () => {
    const { path, isMember } = await invited();
    const page = await openPage(h, path);
    await page.says('invites you to join Acme as member');
    expect(page.shown()).toEqual(['account']);
    await page.press('sign-in', { password: 'Wrong-horse-1' });
    await page.says('Invalid email or password');
    expect(await isMember()).toBe(false);
    await page.press('sign-in', { password: PASSWORD });
    await page.says('You have joined.');
    expect(await isMember()).toBe(true);
  });

  test.each(['app', 'recovery code'])('asks for the second factor: by %s', async (kind) => {
    const { invitee, path, isMember } = await invited();
    const factor = await enableTwoFactor(h, invitee);
    nextCode(h);
    const page = await openPage(h, path);
    await page.says('invites you');
    await page.press('sign-in', { password: PASSWORD });
    expect(page.shown()).toEqual(['factor']);
    await page.press('second-factor', { code: 'zzzzz-zzzzz' });
    await page.says('This code is wrong');
    expect(await isMember()).toBe(false);
    await page.press('second-factor', {
      code: kind === 'app' ? factor.code() : (factor.recoveryCodes[0] ?? ''),
    });
    await page.says('You have joined.');
    expect(await isMember()).toBe(true);
  });

  test('also in the browser of somebody else, who is signed in', async () => {
    const { invitee, path, isMember } = await invited();
    const factor = await enableTwoFactor(h, invitee);
    nextCode(h);
    const other = await h.user();
    const visitor = browser(h);
    await visitor.signIn(other.email, PASSWORD);
    const page = await openPage(h, path, visitor);
    await page.says('invites you');
    expect(page.shown()).toEqual(['account']);
    await page.press('sign-in', { password: PASSWORD });
    await page.press('second-factor', { code: factor.code() });
    await page.says('You have joined.');
    expect(await isMember()).toBe(true);
    expect((await visitor.get('user.session')).body.user.id).toBe(invitee.id);
    expect([...visitor.cookies.keys()]).toEqual([SESSION_COOKIE]);
  });

  test('begins anew when the second factor comes too late', async () => {
    const { invitee, path } = await invited();
    const factor = await enableTwoFactor(h, invitee);
    const page = await openPage(h, path);
    await page.says('invites you');
    await page.press('sign-in', { password: PASSWORD });
    h.clock.advance(601_000);
    await page.press('second-factor', { code: factor.code() });
    await page.says('Sign in with your password first.');
    expect(page.shown()).toEqual(['account']);
  });

  test('has a new account made and join', async () => {
    const { id, owner } = await h.organization();
    await invite(owner, id, 'new@example.org');
    const page = await openPage(h, pathOf(await linkFor(h, 'new@example.org')));
    await page.says('invites you');
    await page.press('sign-up', { password: PASSWORD });
    await page.says('Your account is made, and you have joined.');
  });

  test('lets who is signed in answer at once', async () => {
    const { invitee, path, isMember } = await invited();
    const visitor = browser(h);
    await visitor.signIn(invitee.email, PASSWORD);
    const page = await openPage(h, path, visitor);
    await page.says('invites you');
    expect(page.shown()).toEqual(['answer']);
    await page.press('reject');
    await page.says('turned the invitation down');
    expect(await isMember()).toBe(false);
  });
});
