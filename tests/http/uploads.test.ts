import { once } from 'node:events';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { PICTURE } from '../api/stage.ts';
import { createHarness, type Harness, type Reply, type TestUser, times } from '../support/harness.ts';
import { openSocket } from './raw-socket.ts';

const UPLOAD = '/api/user.uploadAvatar';
const FIVE_MB = 5 * 1024 * 1024;

let h: Harness;
let organization: Awaited<ReturnType<Harness['organization']>>;
let ada: TestUser;
beforeAll(async () => {
  h = await createHarness({ MAX_ORGANIZATIONS_PER_USER: '1000' });
});
afterAll(() => h[Symbol.asyncDispose]());
beforeEach(async () => {
  organization = await h.organization(); // a new owner each time: uploads are limited by user
  ada = organization.owner;
});

type Part = { name: string; filename?: string; type?: string; content: string | Buffer };
const BOUNDARY = 'parted';
const JSON_TYPE = 'application/json';
const FORM_TYPE = `multipart/form-data; boundary=${BOUNDARY}`;

const partOf = ({ name, filename, type, content }: Part): Buffer =>
  Buffer.concat([
    Buffer.from(
      `--${BOUNDARY}\r\ncontent-disposition: form-data; name="${name}"${filename === undefined ? '' : `; filename="${filename}"`}\r\n${type === undefined ? '' : `content-type: ${type}\r\n`}\r\n`,
    ),
    Buffer.from(content),
    Buffer.from('\r\n'),
  ]);
const END = Buffer.from(`--${BOUNDARY}--\r\n`);
const formOf = (parts: Part[]): Buffer => Buffer.concat([...parts.map(partOf), END]);

let picture: Buffer;
beforeAll(async () => {
  picture = Buffer.from(await PICTURE.arrayBuffer());
});
const file = (content: Buffer = picture): Part => ({ name: 'file', filename: 'a.png', content });

const send = (body: NonNullable<RequestInit['body']>, path = UPLOAD, type = FORM_TYPE): Promise<Reply> =>
  ada.send(path, { method: 'POST', body, headers: { 'content-type': type } });
const sendParts = (parts: Part[], path = UPLOAD) => send(formOf(parts), path);

const answerOf = ({ status, body }: Reply) => [status, (body.error?.json ?? body).data?.reason];
const fieldOf = ({ body }: Reply) => body.issues?.[0]?.path[0];

describe('a form', () => {
  test.each([
    ['text/html', 'page.html'],
    ['image/svg+xml', 'a.svg'],
    ['application/json', 'a.json'],
    ['application/octet-stream', '../../../etc/passwd'],
  ])('is read by its content, not as %s named %s', async (type, filename) => {
    const reply = await sendParts([{ ...file(), type, filename }]);
    expect(reply.status, reply.text).toBe(200);
  });

  test('names the organization before the file, after it, or not at all', async () => {
    const path = '/api/organization.uploadAvatar';
    const { id, owner } = organization;
    const named = { name: 'organizationId', content: id };
    for (const parts of [
      [named, file()],
      [file(), named],
    ]) {
      const reply = await sendParts(parts, path);
      expect(reply.status, reply.text).toBe(200);
      const { body } = await owner.get('organization.one', { organizationId: id });
      expect(body.avatarUrl).toBe(reply.body.avatarUrl);
      await owner.post('organization.removeAvatar', { organizationId: id });
    }
    await owner.post('organization.setActive', { organizationId: id });
    expect((await sendParts([file()], path)).status).toBe(200);
    expect((await owner.get('organization.active')).body.avatarUrl).toMatch(/\.webp$/);
  });

  test.each<[string, () => Part[], number, string, string]>([
    ['no part', () => [], 400, 'invalid_input', 'file'],
    ['a text named file', () => [{ name: 'file', content: 'x' }], 400, 'invalid_input', 'file'],
    ['a file of another name', () => [{ ...file(), name: 'avatar' }], 400, 'unknown_file', 'avatar'],
    ['two files', () => [file(), file()], 400, 'too_many_parts', 'input'],
    ['a file of another name too', () => [file(), { ...file(), name: 'b' }], 400, 'too_many_parts', 'input'],
    [
      'many fields',
      () => [...times(9, (i) => ({ name: `f${i}`, content: 'x' })), file()],
      400,
      'too_many_parts',
      'input',
    ],
    [
      'a field twice',
      () => [...times(2, () => ({ name: 'a', content: 'x' })), file()],
      400,
      'given_twice',
      'a',
    ],
    ['a long field', () => [{ name: 'a', content: 'x'.repeat(5000) }, file()], 400, 'too_long', 'a'],
    ['a field with NUL', () => [{ name: 'a', content: 'x\0' }, file()], 400, 'invalid_text', 'input'],
    [
      'a field named as a prototype',
      () => [{ name: '__proto__', content: 'x' }, file()],
      400,
      'malformed_form',
      'input',
    ],
    ['an empty file', () => [file(Buffer.alloc(0))], 400, 'not_an_image', 'file'],
  ])('with %s is refused', async (_name, parts, status, reason, field) => {
    for (const path of [UPLOAD, '/api/organization.uploadAvatar']) {
      const reply = await sendParts(parts(), path);
      expect([...answerOf(reply), fieldOf(reply)]).toEqual([status, reason, field]);
    }
  });

  test.each<[string, () => Buffer, string]>([
    ['an empty body', () => Buffer.alloc(0), FORM_TYPE],
    ['another boundary', () => formOf([file()]), 'multipart/form-data; boundary=other'],
    ['no boundary', () => formOf([file()]), 'multipart/form-data'],
    ['no end', () => partOf(file()).subarray(0, -20), FORM_TYPE],
    ['nothing but its end', () => END, FORM_TYPE],
    ['no form', () => Buffer.from('x'.repeat(10_000)), FORM_TYPE],
  ])('that has %s is refused', async (_name, body, type) => {
    for (const path of [UPLOAD, '/api/organization.uploadAvatar']) {
      expect((await send(body(), path, type)).status).toBe(400);
    }
  });

  test('has a file of 5 MB, and no more', async () => {
    const whole = await sendParts([file(Buffer.alloc(FIVE_MB))]);
    expect(answerOf(whole)).toEqual([400, 'not_an_image']);
    for (const size of [FIVE_MB + 1, FIVE_MB + 1024 * 1024]) {
      expect(answerOf(await sendParts([file(Buffer.alloc(size))]))).toEqual([413, 'payload_too_large']);
    }
    const named = { name: 'organizationId', content: organization.id };
    const addressed = await sendParts(
      [named, file(Buffer.alloc(FIVE_MB + 1))],
      '/api/organization.uploadAvatar',
    );
    expect(answerOf(addressed)).toEqual([413, 'payload_too_large']);
  });
});

describe('content types', () => {
  test.each([
    JSON_TYPE,
    'text/plain',
    'image/png',
    'application/x-www-form-urlencoded',
    'multipart/mixed; boundary=x',
  ])('%s is no form', async (type) => {
    const reply = await send(JSON.stringify({ file: 'x' }), UPLOAD, type);
    expect(answerOf(reply)).toEqual([415, 'unsupported_media_type']);
    expect(reply.body.message).toContain('multipart/form-data');
  });

  test('nor is no body at all', async () => {
    expect((await ada.send(UPLOAD, { method: 'POST' })).status).toBe(415);
  });

  test('other procedures and sign-in take no forms', async () => {
    for (const path of [
      '/api/apiKey.create',
      '/api/organization.update',
      '/api/user.removeAvatar',
      '/api/auth/sign-in/email',
    ]) {
      expect(answerOf(await sendParts([file()], path))).toEqual([415, 'unsupported_media_type']);
    }
  });

  test('over tRPC files are refused, as JSON and as forms, alone and in a batch', async () => {
    const single = '/api/trpc/user.uploadAvatar';
    const batch = '/api/trpc/user.uploadAvatar,organization.uploadAvatar?batch=1';
    const json = await send('{"json":{"file":{}}}', single, JSON_TYPE);
    expect(answerOf(json)).toEqual([415, 'unsupported_media_type']);
    expect((await send('{"0":{},"1":{}}', batch, JSON_TYPE)).status).toBe(415);
    expect((await sendParts([file()], single)).status).toBe(415);
    expect((await sendParts([file()], batch)).status).toBe(415);
    const streamed = await ada.send(batch, {
      method: 'POST',
      body: '{"0":{},"1":{}}',
      headers: { 'content-type': JSON_TYPE, 'trpc-accept': 'application/jsonl' },
    });
    expect(streamed.text).toContain('UNSUPPORTED_MEDIA_TYPE');
    expect(await h.sql`select 1 from users where avatar_hash is not null and id = ${ada.id}`).toHaveLength(0);
  });

  test('only POST uploads', async () => {
    const reply = await ada.get('user.uploadAvatar');
    expect([reply.status, reply.headers.get('allow')]).toEqual([405, 'POST']);
  });
});

/** Sends the beginning of a request, never its end, and resolves with the first line that comes back. */
async function answerToHalf(path: string, headers: Record<string, string>, body: Buffer | string) {
  const socket = openSocket(h.baseUrl);
  const lines = Object.entries({
    host: 'x',
    'content-type': FORM_TYPE,
    'content-length': '4000000',
    ...headers,
  });
  socket.write(
    `POST ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`,
  );
  socket.write(body);
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return chunk.toString('latin1').split('\r\n', 1)[0];
}

describe('a refusal does not wait for the file', () => {
  const begun = (): Buffer => partOf(file(Buffer.alloc(100_000))).subarray(0, -2);
  const named = (id: string) => Buffer.concat([partOf({ name: 'organizationId', content: id }), begun()]);

  test('of who is not signed in, has a bad key, or sends from a foreign page', async () => {
    expect(await answerToHalf(UPLOAD, {}, begun())).toBe('HTTP/1.1 401 Unauthorized');
    expect(await answerToHalf(UPLOAD, { 'x-api-key': 'x' }, begun())).toBe('HTTP/1.1 401 Unauthorized');
    const foreign = { cookie: ada.cookie, origin: 'https://evil.example' };
    expect(await answerToHalf(UPLOAD, foreign, begun())).toBe('HTTP/1.1 403 Forbidden');
  });

  test('of a member without the right, and of an outsider', async () => {
    const member = await organization.join('member');
    const outsider = await h.user();
    const path = '/api/organization.uploadAvatar';
    const forbidden = await answerToHalf(path, { cookie: member.cookie }, named(organization.id));
    expect(forbidden).toBe('HTTP/1.1 403 Forbidden');
    const missing = await answerToHalf(path, { cookie: outsider.cookie }, named(organization.id));
    expect(missing).toBe('HTTP/1.1 404 Not Found');
  });

  test('of a body that says it is too large', async () => {
    const headers = { cookie: ada.cookie, 'content-length': '9000000' };
    expect(await answerToHalf(UPLOAD, headers, begun())).toBe('HTTP/1.1 413 Payload Too Large');
  });

  test('and the connection can be used again', async () => {
    const member = await organization.join('member');
    const named = { name: 'organizationId', content: organization.id };
    const body = formOf([named, file(Buffer.alloc(1_000_000))]);
    const head = [
      'POST /api/organization.uploadAvatar HTTP/1.1',
      'host: x',
      `cookie: ${member.cookie}`,
      `content-type: ${FORM_TYPE}`,
      `content-length: ${body.length}`,
    ];
    const socket = openSocket(h.baseUrl);
    let received = '';
    socket.on('data', (chunk) => (received += chunk.toString('latin1')));
    for (const count of [1, 2, 3]) {
      socket.write(`${head.join('\r\n')}\r\n\r\n`);
      socket.write(body);
      await vi.waitFor(() => expect(received.match(/HTTP\/1\.1 403/g)).toHaveLength(count));
    }
    socket.destroy();
  });
});

test('uploads that are broken off leave nothing behind, and keep nobody from uploading', async () => {
  const begun = partOf(file(Buffer.alloc(100_000))).subarray(0, -2);
  const people = await Promise.all(times(5, () => h.user()));
  const sockets = people.flatMap(({ cookie }) =>
    times(9, () => {
      const socket = openSocket(h.baseUrl);
      socket.on('error', () => {});
      socket.write(
        `POST ${UPLOAD} HTTP/1.1\r\nhost: x\r\ncookie: ${cookie}\r\ncontent-type: ${FORM_TYPE}\r\ncontent-length: 4000000\r\n\r\n`,
      );
      socket.write(begun);
      return socket;
    }),
  );
  // As many as may be in memory at once are waited for, and then it is said.
  await vi.waitFor(
    async () => expect(answerOf(await sendParts([file()]))).toEqual([503, 'too_many_uploads']),
    { timeout: 20_000, interval: 500 },
  );
  for (const socket of sockets) socket.destroy();
  const other = await h.user();
  await vi.waitFor(
    async () => expect((await other.form('user.uploadAvatar', { file: PICTURE })).status).toBe(200),
    {
      timeout: 10_000,
    },
  );
  expect(h.logLines.filter((line) => line.includes('request failed'))).toEqual([]);
});

test('a sender who stops in the middle is told so, and it is no fault of the service', async () => {
  const begun = partOf(file(Buffer.alloc(1000))).subarray(0, -2);
  const named = partOf({ name: 'organizationId', content: organization.id });
  const answers = await Promise.all(
    [Buffer.alloc(0), begun, Buffer.concat([named, begun])].map((body) =>
      answerToHalf('/api/organization.uploadAvatar', { cookie: ada.cookie }, body),
    ),
  );
  expect(answers).toEqual(Array(3).fill('HTTP/1.1 400 Bad Request'));
  expect(h.logLines.filter((line) => line.includes('request failed'))).toEqual([]);
});

test('at most ten uploads a minute are taken from one person', async () => {
  const replies = [];
  for (const _ of times(11, (index) => index)) replies.push(await sendParts([file(Buffer.from('x'))]));
  expect(replies.map(({ status }) => status)).toEqual([...Array(10).fill(400), 429]);
  expect(replies.at(-1)?.headers.get('retry-after')).toMatch(/^\d+$/);
  const other = await h.user();
  expect((await other.form('user.uploadAvatar', { file: PICTURE })).status).toBe(200);
});
