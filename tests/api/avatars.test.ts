import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { releaseAvatar } from '../../src/domain/avatar/index.ts';
import type { Storage } from '../../src/domain/storage.ts';
import { createHarness, type Harness, type Reply, type TestUser, times } from '../support/harness.ts';
import { newPicture } from '../support/pictures.ts';
import { BUCKET, KEYS, startS3 } from '../support/s3.ts';
import { untilBlocked } from './stage.ts';

const MINUTE = 60_000;
const GRACE = 10 * MINUTE;

let h: Harness;
beforeAll(async () => {
  h = await createHarness({ MAX_ORGANIZATIONS_PER_USER: '1000' });
  await h.app.jobs.stop(); // a test says when files are collected
});
afterAll(() => h[Symbol.asyncDispose]());

const settingsFor = (endpoint: string) => ({
  AVATAR_S3_ENDPOINT: endpoint,
  AVATAR_S3_BUCKET: BUCKET,
  AVATAR_S3_ACCESS_KEY_ID: KEYS.accessKeyId,
  AVATAR_S3_SECRET_ACCESS_KEY: KEYS.secretAccessKey,
});

const form = (picture: Buffer) => ({ file: new Blob([new Uint8Array(picture)]) });
const upload = (user: TestUser, picture: Buffer) => user.form('user.uploadAvatar', form(picture));
const answerOf = ({ status, body }: Reply) => [status, body.data?.reason];

async function uploaded(user: TestUser, picture: Buffer): Promise<string> {
  const { status, body, text } = await upload(user, picture);
  expect(status, text).toBe(200);
  return body.avatarUrl;
}

const shown = async (user: TestUser) => (await user.get('user.one', { userId: 'me' })).body.avatarUrl;
const stateOf = async (url: string) => (await h.anonymous.send(new URL(url).pathname, {})).status;

/** Lets so much time pass, and runs what is due then. */
async function afterwards(ms: number): Promise<void> {
  h.clock.advance(ms);
  for (let left = 1; left > 0; ) {
    await h.app.jobs.runDue();
    left = (
      await h.sql`select 1 from jobs where failed_at is null and attempts = 0
      and run_at <= ${new Date(Date.now() + h.clock.offset)}`
    ).length;
  }
}

function deferred() {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

/** Holds one function of the storage until `letGo`; `reached` resolves when it has been called. */
function hold(name: 'put' | 'delete', when: 'before' | 'after') {
  const storage: Storage = h.app.deps.storage;
  const original = storage[name] as (...args: never[]) => Promise<void>;
  const gate = deferred();
  const reached = deferred();
  const held = async (...args: never[]) => {
    if (when === 'after') await original(...args);
    reached.resolve();
    await gate.promise;
    if (when === 'before') await original(...args);
  };
  Object.assign(storage, { [name]: held });
  const restore = () => void Object.assign(storage, { [name]: original });
  onTestFinished(restore);
  return {
    reached: reached.promise,
    letGo() {
      restore();
      gate.resolve();
    },
  };
}

describe('a picture', () => {
  test('of a person is shown in the profile and served to everybody, for good', async () => {
    const user = await h.user();
    expect(await shown(user)).toBeNull();
    const url = await uploaded(user, await newPicture());
    expect(url).toMatch(/^http:\/\/localhost:3000\/avatars\/[0-9a-f]{64}\.webp$/);
    expect(await shown(user)).toBe(url);
    expect((await user.get('user.get')).body.user.avatarUrl).toBe(url);

    const response = await fetch(`${h.baseUrl}${new URL(url).pathname}`);
    const bytes = Buffer.from(await response.arrayBuffer());
    const hash = createHash('sha256').update(bytes).digest('hex');
    expect(url).toContain(hash);
    expect(await sharp(bytes).metadata()).toMatchObject({ format: 'webp', width: 256, height: 256 });
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'image/webp',
      'cache-control': 'public, max-age=31536000, immutable',
      etag: `"${hash}"`,
      'x-content-type-options': 'nosniff',
      'cross-origin-resource-policy': 'cross-origin',
      'content-length': String(bytes.length),
    });
    const again = await h.anonymous.send(`/avatars/${hash}.webp`, {
      headers: { 'if-none-match': `"${hash}"` },
    });
    expect([again.status, again.text]).toEqual([304, '']);
    const head = await h.anonymous.send(`/avatars/${hash}.webp`, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-type')]).toEqual([200, 'image/webp']);
    const posted = await h.anonymous.send(`/avatars/${hash}.webp`, { method: 'POST' });
    expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  test('of an organization is shown wherever the organization is', async () => {
    const { id: organizationId, owner, join: enter } = await h.organization();
    const admin = await enter('admin');
    const member = await enter('member');
    expect((await owner.get('organization.one', { organizationId })).body.avatarUrl).toBeNull();
    const file = form(await newPicture());
    const { body } = await admin.form('organization.uploadAvatar', { organizationId, ...file });
    const url: string = body.avatarUrl;
    expect(await stateOf(url)).toBe(200);

    const all = (await member.get('organization.all')).body;
    expect(all.find(({ id }: { id: string }) => id === organizationId).avatarUrl).toBe(url);
    for (const reply of [
      await member.get('organization.one', { organizationId }),
      await member.post('organization.setActive', { organizationId }),
      await member.get('organization.active'),
      await owner.post('organization.update', { organizationId, name: 'Renamed' }),
    ]) {
      expect(reply.body.avatarUrl).toBe(url);
      expect(reply.text).not.toMatch(/avatarHash|avatar_hash/);
    }
    expect((await owner.post('organization.create', { name: 'New' })).body.avatarUrl).toBeNull();
  });

  test('of an organization is not for plain members to change', async () => {
    const { id: organizationId, owner, join: enter } = await h.organization();
    const member = await enter('member');
    const file = form(await newPicture());
    const refused = await member.form('organization.uploadAvatar', { organizationId, ...file });
    expect(answerOf(refused)).toEqual([403, 'permission_missing']);
    expect((await member.form('organization.uploadAvatar', file)).status).toBe(403); // their active one
    expect((await member.post('organization.removeAvatar', { organizationId })).status).toBe(403);
    expect((await owner.get('organization.one', { organizationId })).body.avatarUrl).toBeNull();
  });

  test('whoever loses the right while the file is stored sets nothing', async () => {
    const { id: organizationId, owner, join: enter } = await h.organization();
    const admin = await enter('admin');
    const put = hold('put', 'after');
    const sending = admin.form('organization.uploadAvatar', { organizationId, ...form(await newPicture()) });
    await put.reached;
    await owner.post('organization.updateMemberRole', { memberId: admin.memberId, role: 'member' });
    put.letGo();
    expect((await sending).status).toBe(403);
    expect((await owner.get('organization.one', { organizationId })).body.avatarUrl).toBeNull();
  });

  test.each([
    'x',
    '../secret',
    'A'.repeat(64),
    'a'.repeat(64),
    `${'a'.repeat(64)}.png`,
    `${'a'.repeat(64)}.webp.webp`,
    `${'a'.repeat(63)}.webp`,
    'incoming',
  ])('is not at /avatars/%s', async (name) => {
    const { status, body, headers } = await h.anonymous.send(`/avatars/${name.replaceAll('/', '%2f')}`, {});
    expect([status, body.code]).toEqual([404, 'NOT_FOUND']);
    expect(headers.get('cache-control')).toBe('no-store');
  });

  test('writes what was and what is to the trail', async () => {
    const { id: organizationId, owner } = await h.organization();
    const { body } = await owner.form('organization.uploadAvatar', {
      organizationId,
      ...form(await newPicture()),
    });
    await owner.post('organization.removeAvatar', { organizationId });
    const entries = (await owner.get('auditLog.all', { organizationId, limit: 2 })).body;
    expect(entries).toMatchObject([
      { action: 'update', resourceId: organizationId, before: body, after: { avatarUrl: null } },
      { action: 'update', resourceId: organizationId, before: { avatarUrl: null }, after: body },
    ]);
  });
});

describe('a file that nobody refers to', () => {
  test('is served a while longer, and then gone', async () => {
    const user = await h.user();
    const url = await uploaded(user, await newPicture());
    expect((await user.post('user.removeAvatar')).body).toEqual({ avatarUrl: null });
    expect(await shown(user)).toBeNull();
    await afterwards(GRACE - MINUTE);
    expect(await stateOf(url)).toBe(200);
    await afterwards(2 * MINUTE);
    expect(await stateOf(url)).toBe(404);
  });

  test('goes when another takes its place, and not when the same is sent again', async () => {
    const user = await h.user();
    const picture = await newPicture();
    const first = await uploaded(user, picture);
    expect(await uploaded(user, picture)).toBe(first);
    await afterwards(2 * GRACE);
    expect(await stateOf(first)).toBe(200);
    const second = await uploaded(user, await newPicture());
    await afterwards(2 * GRACE);
    expect([await stateOf(first), await stateOf(second)]).toEqual([404, 200]);
  });

  test('goes with the last of those who share it', async () => {
    const [ada, bob] = [await h.user(), await h.user()];
    const picture = await newPicture();
    const [url, same] = await Promise.all([uploaded(ada, picture), uploaded(bob, picture)]);
    expect(same).toBe(url);
    const { id: organizationId, owner } = await h.organization();
    await owner.form('organization.uploadAvatar', { organizationId, ...form(picture) });
    await ada.post('user.removeAvatar');
    await bob.post('user.removeAvatar');
    await afterwards(2 * GRACE);
    expect(await stateOf(url)).toBe(200);
    expect((await owner.post('organization.delete', { organizationId })).status).toBe(200);
    await afterwards(2 * GRACE);
    expect(await stateOf(url)).toBe(404);
  });

  test('goes when an account lets go of it', async () => {
    const user = await h.user();
    const url = await uploaded(user, await newPicture());
    const hash = /[0-9a-f]{64}/.exec(url)?.[0] ?? '';
    await h.app.deps.db.transaction(async (tx) => {
      await tx`update users set avatar_hash = null where id = ${user.id}`;
      await releaseAvatar(tx, h.app.deps, hash);
      await releaseAvatar(tx, h.app.deps, null);
    });
    await afterwards(2 * GRACE);
    expect(await stateOf(url)).toBe(404);
  });

  test('goes when the upload was refused after storing it', async () => {
    const { id: organizationId, owner } = await h.organization();
    await owner.post('organization.update', { organizationId, active: false });
    const files = () => readdir(join(h.dataDir, 'avatars'));
    const before = await files();
    const reply = await owner.form('organization.uploadAvatar', {
      organizationId,
      ...form(await newPicture()),
    });
    expect(answerOf(reply)).toEqual([412, 'organization_inactive']);
    expect(await files()).toHaveLength(before.length + 1);
    await afterwards(2 * GRACE);
    expect((await files()).sort()).toEqual(before.sort());
  });

  test('of many uploads by one person at once, all but the last one go', async () => {
    const user = await h.user();
    const pictures = await Promise.all(times(6, () => newPicture()));
    const urls = await Promise.all(pictures.map((picture) => uploaded(user, picture)));
    await afterwards(2 * GRACE);
    const last = await shown(user);
    for (const url of urls) expect(await stateOf(url)).toBe(url === last ? 200 : 404);
    expect(await h.sql`select 1 from jobs where name = 'avatar.collect'`).toHaveLength(0);
  });
});

describe('an upload and a collection of the same picture', () => {
  /** A picture whose file is there and which nobody shows any more. */
  async function abandoned() {
    const user = await h.user();
    const picture = await newPicture();
    const url = await uploaded(user, picture);
    await user.post('user.removeAvatar');
    return { picture, url };
  }

  test('that is about to delete it: the upload is told to come again, and then succeeds', async () => {
    const { picture, url } = await abandoned();
    const user = await h.user();
    const deleting = hold('delete', 'before');
    const collecting = afterwards(GRACE + MINUTE);
    await deleting.reached;
    const refused = await upload(user, picture);
    expect(answerOf(refused)).toEqual([503, 'avatar_busy']);
    expect(refused.headers.get('retry-after')).toBe('1');
    deleting.letGo();
    await collecting;
    expect(await stateOf(url)).toBe(404);
    expect(await uploaded(user, picture)).toBe(url);
    await afterwards(2 * GRACE);
    expect(await stateOf(url)).toBe(200);
  });

  test('that comes while the file is stored and not yet referred to: the file stays', async () => {
    const { picture, url } = await abandoned();
    const user = await h.user();
    h.clock.advance(GRACE / 2);
    const put = hold('put', 'after');
    const sending = upload(user, picture);
    await put.reached;
    await afterwards(GRACE / 2 + MINUTE); // the collection is due, the claim is not
    put.letGo();
    expect((await sending).status).toBe(200);
    expect(await stateOf(url)).toBe(200);
    await afterwards(2 * GRACE);
    expect(await stateOf(url)).toBe(200);
  });

  test('that comes because the upload stood still for too long: nothing refers to a file that is gone', async () => {
    const user = await h.user();
    const put = hold('put', 'after');
    const sending = upload(user, await newPicture());
    await put.reached;
    await afterwards(GRACE + MINUTE);
    put.letGo();
    expect(answerOf(await sending)).toEqual([503, 'avatar_busy']);
    expect(await shown(user)).toBeNull();
  });

  test('that deletes it at the upload’s end, which stood still: the same', async () => {
    const user = await h.user();
    const put = hold('put', 'after');
    const sending = upload(user, await newPicture());
    await put.reached;
    const deleting = hold('delete', 'before');
    const collecting = afterwards(GRACE + MINUTE);
    await deleting.reached;
    put.letGo();
    expect(answerOf(await sending)).toEqual([503, 'avatar_busy']);
    expect(await shown(user)).toBeNull();
    deleting.letGo();
    await collecting;
  });

  test('that runs while the upload commits: the file stays', async () => {
    const { picture, url } = await abandoned();
    const user = await h.user();
    const put = hold('put', 'after');
    const sending = upload(user, picture);
    await put.reached;
    h.clock.advance(2 * GRACE);
    let collecting = Promise.resolve();
    await h.sql.begin(async (tx) => {
      await tx`lock table audit_log in exclusive mode`;
      put.letGo();
      await untilBlocked(h, 1); // its claim has ended, its transaction has not
      collecting = afterwards(0);
      await untilBlocked(h, 2);
    });
    expect((await sending).status).toBe(200);
    await collecting;
    expect(await stateOf(url)).toBe(200);
  });
});

describe('in S3', () => {
  test('pictures are kept, served and collected alike', async () => {
    const s3 = await startS3();
    onTestFinished(() => s3.stop());
    await using other = await createHarness(settingsFor(s3.endpoint));
    await other.app.jobs.stop();
    const user = await other.user();
    const url = await uploaded(user, await newPicture());
    const path = new URL(url).pathname;
    const served = await other.anonymous.send(path, {});
    expect([served.status, served.headers.get('content-type')]).toEqual([200, 'image/webp']);
    await user.post('user.removeAvatar');
    other.clock.advance(2 * GRACE);
    await other.app.jobs.runDue();
    expect((await other.anonymous.send(path, {})).status).toBe(404);
  });

  test('an outage is said, changes nothing, and ends', async () => {
    const s3 = await startS3();
    await using other = await createHarness(settingsFor(s3.endpoint));
    await other.app.jobs.stop();
    const user = await other.user();
    const url = await uploaded(user, await newPicture());
    await s3.stop();
    const refused = await upload(user, await newPicture());
    expect(answerOf(refused)).toEqual([503, 'storage_unavailable']);
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(answerOf(await other.anonymous.send(new URL(url).pathname, {}))).toEqual([
      503,
      'storage_unavailable',
    ]);
    expect(await shown(user)).toBe(url);
    expect((await user.post('user.removeAvatar')).status).toBe(200); // the file is a job's matter

    other.clock.advance(2 * GRACE);
    await other.app.jobs.runDue();
    const waiting = await other.sql`select attempts from jobs where name = 'avatar.collect'`;
    expect(waiting).toHaveLength(2);
    expect(waiting).toMatchObject([{ attempts: 1 }, { attempts: 1 }]);
  });
});
