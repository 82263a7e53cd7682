import { expect, test } from 'vitest';
import { MailRefused } from '../../src/domain/mail.ts';
import { createResendMailer } from '../../src/platform/mail/resend.ts';
import { FROM, failureOf, mail, resendServer, TOKEN } from '../support/mail-servers.ts';

const API_KEY = 're_secret_key';
const mailer = (baseUrl: string, patienceMs?: number) =>
  createResendMailer({ apiKey: API_KEY, from: FROM, baseUrl, ...(patienceMs && { patienceMs }) });
const answers = (status: number, reply: unknown, type = 'application/json') =>
  resendServer((response) =>
    response
      .writeHead(status, { 'content-type': type })
      .end(typeof reply === 'string' ? reply : JSON.stringify(reply)),
  );

test('sends the mail with its id as the idempotency key, the same over retries', async () => {
  const { requests, baseUrl } = await answers(200, { id: 'e1' });
  await mailer(baseUrl).send(mail);
  await mailer(baseUrl).send(mail);
  const { id, to, subject, text, html } = mail;
  expect(requests[0]?.body).toEqual({
    ...{ from: FROM, to, subject, text, html },
    headers: { 'Auto-Submitted': 'auto-generated' },
  });
  expect(requests[0]?.headers).toMatchObject({ 'idempotency-key': id, authorization: `Bearer ${API_KEY}` });
  expect(requests[1]?.headers['idempotency-key']).toBe(id);
});

test.each([
  [422, 'validation_error', true],
  [400, 'validation_error', true],
  [422, 'invalid_from_address', false],
  [401, 'missing_api_key', false],
  [403, 'validation_error', false],
  [409, 'concurrent_idempotent_requests', false],
  [429, 'rate_limit_exceeded', false],
  [500, 'application_error', false],
])('%i %s makes the job fail and says why; final: %s', async (statusCode, name, final) => {
  const message = `Not so: ${API_KEY} ${TOKEN}`;
  const { baseUrl } = await answers(statusCode, { statusCode, name, message });
  const error = await failureOf(mailer(baseUrl).send(mail));
  expect(error.message).toBe(`Resend did not take the mail: ${name}: Not so: … …`);
  expect(error instanceof MailRefused).toBe(final);
});

test.each([
  ['an error without a reason', 500, 'null'],
  ['a page of a proxy', 502, '<h1>Bad gateway</h1>'],
  ['a success that is none', 200, '<h1>Welcome</h1>'],
])('%s is tried again', async (_kind, status, reply) => {
  const { baseUrl } = await answers(status, reply);
  expect(await failureOf(mailer(baseUrl).send(mail))).not.toBeInstanceOf(MailRefused);
});

test('a service that never answers is left', async () => {
  const { baseUrl } = await resendServer(() => {});
  expect((await failureOf(mailer(baseUrl, 300).send(mail))).message).toContain('no answer in 300 ms');
});

test('a service that begins to answer and stops is left', async () => {
  const { baseUrl } = await resendServer((response) => void response.writeHead(200).write('{"id":'));
  expect((await failureOf(mailer(baseUrl, 300).send(mail))).message).toContain('no answer in 300 ms');
});
