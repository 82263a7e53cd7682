import { expect, vi } from 'vitest';
import type { Mail } from '../../src/domain/mail.ts';
import type { Harness, Reply, TestUser } from './harness.ts';

/** All mails to an address so far, once every job that is due is done. */
export function mailsTo(h: Harness, email: string): Promise<Mail[]> {
  return vi.waitFor(
    async () => {
      await h.app.jobs.runDue();
      expect(await h.sql`select 1 from jobs where failed_at is null`).toEqual([]);
      return h.mails.filter(({ to }) => to === email);
    },
    { timeout: 10_000, interval: 10 },
  );
}

/** The link in the newest mail to an address that has one. */
export async function linkTo(h: Harness, email: string): Promise<URL> {
  const mails = await mailsTo(h, email);
  const link = mails.map(({ text }) => /https?:\S+\?token=\S+/.exec(text)?.[0]).findLast(Boolean);
  if (link === undefined) throw new Error(`No link to ${email}`);
  return new URL(link);
}

export const tokenOf = (link: URL): string => link.searchParams.get('token') ?? '';

/** An account whose address is not verified, with the mail of its registration gone out. */
export async function unverifiedUser(h: Harness): Promise<TestUser> {
  const user = await h.user({ verified: false });
  await mailsTo(h, user.email);
  return user;
}

let clients = 0;
/** Where a proxy is trusted, another client's address: what one client may do in a minute is not the point then. */
export const anotherClient = () => ({ 'x-forwarded-for': `2001:db8:${(++clients).toString(16)}::1` });

/** Asks for a link to an address as anybody can, and reads the mail. */
export async function askForLink(h: Harness, email: string, kind: 'verify' | 'reset'): Promise<URL> {
  const path = kind === 'reset' ? 'auth/request-password-reset' : 'auth/send-verification-email';
  const { status } = await h.anonymous.post(path, { email }, anotherClient());
  expect(status).toBe(200);
  return linkTo(h, email);
}

export function expectInvalidLink({ status, body }: Reply): void {
  expect(status).toBe(400);
  expect(body).toMatchObject({
    message: 'This link is wrong, used or too old. Ask for a new one.',
    issues: [{ path: ['token'] }],
    data: { reason: 'token_invalid' },
  });
}
