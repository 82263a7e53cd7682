import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Storage } from '../../src/domain/storage.ts';
import { createDiskStorage } from '../../src/platform/storage/disk.ts';
import { createS3Storage } from '../../src/platform/storage/s3.ts';
import { times } from '../support/harness.ts';
import { BUCKET, KEYS, startS3 } from '../support/s3.ts';

const NAME = `${'ab'.repeat(32)}.webp`;
const OTHER = `${'cd'.repeat(32)}.webp`;
const bytes = (text: string) => new Uint8Array(Buffer.from(text));
const textOf = (found: Uint8Array | undefined) =>
  found === undefined ? undefined : Buffer.from(found).toString();

const UNAVAILABLE = { code: 'SERVICE_UNAVAILABLE', reason: 'storage_unavailable', retryAfter: 1 };

const s3Options = (endpoint: string) => ({
  endpoint,
  region: 'us-east-1',
  bucket: BUCKET,
  forcePathStyle: true,
  ...KEYS,
});

async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'tenantry-storage-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

let s3: Awaited<ReturnType<typeof startS3>>;
beforeAll(async () => {
  s3 = await startS3();
});
afterAll(() => s3.stop());

const KINDS: Record<string, () => Promise<Storage>> = {
  disk: async () => createDiskStorage(join(await temporaryDirectory(), 'not', 'yet')),
  s3: async () => createS3Storage(s3Options(s3.endpoint)),
};

describe.each(Object.keys(KINDS))('on %s', (kind) => {
  async function open(): Promise<Storage> {
    const storage = await KINDS[kind]?.();
    if (storage === undefined) throw new Error(`There is no ${kind}.`);
    await storage.delete(NAME);
    await storage.delete(OTHER);
    return storage;
  }

  test('what was put is got, byte for byte, until it is deleted', async () => {
    const storage = await open();
    expect(await storage.get(NAME)).toBeUndefined();
    const all = new Uint8Array(times(70_000, (index) => index % 256));
    await storage.put(NAME, all);
    await storage.put(OTHER, bytes('other'));
    expect(Buffer.from((await storage.get(NAME)) ?? []).equals(all)).toBe(true);
    await storage.delete(NAME);
    expect(await storage.get(NAME)).toBeUndefined();
    expect(textOf(await storage.get(OTHER))).toBe('other');
  });

  test('putting again replaces, deleting again does nothing', async () => {
    const storage = await open();
    await storage.put(NAME, bytes('a longer one'));
    await storage.put(NAME, bytes('short'));
    expect(textOf(await storage.get(NAME))).toBe('short');
    await storage.delete(NAME);
    await storage.delete(NAME);
  });

  test('of many at once, one is there as a whole', async () => {
    const storage = await open();
    const versions = times(8, (index) => String(index).repeat(50_000));
    await Promise.all(versions.map((version) => storage.put(NAME, bytes(version))));
    expect(versions).toContain(textOf(await storage.get(NAME)));
  });

  test.each(['../escape.webp', 'a/b.webp', '/etc/passwd', '..', '', 'a.webp\0', '.webp'])(
    'the name %j is refused',
    async (name) => {
      const storage = await open();
      const refused = 'not the name of a stored file';
      await expect(storage.put(name, bytes('x'))).rejects.toThrow(refused);
      await expect(storage.get(name)).rejects.toThrow(refused);
      await expect(storage.delete(name)).rejects.toThrow(refused);
    },
  );
});

describe('disk', () => {
  test('files are for the owner alone, and nothing else is left lying', async () => {
    const directory = await temporaryDirectory();
    const storage = createDiskStorage(directory);
    await storage.put(NAME, bytes('x'));
    expect((await readdir(directory)).sort()).toEqual([NAME, 'incoming']);
    expect(await readdir(join(directory, 'incoming'))).toEqual([]);
    expect((await stat(join(directory, NAME))).mode & 0o077).toBe(0);
  });

  test('deleting clears what an ended process had begun to write', async () => {
    const directory = await temporaryDirectory();
    const storage = createDiskStorage(directory);
    await storage.put(OTHER, bytes('x'));
    await writeFile(join(directory, 'incoming', `${NAME}.1`), 'half');
    await writeFile(join(directory, 'incoming', `${OTHER}.2`), 'half');
    await storage.delete(NAME);
    expect(await readdir(join(directory, 'incoming'))).toEqual([`${OTHER}.2`]);
  });

  test('a disk that cannot be written is unavailable, and keeps what it had', async () => {
    const directory = await temporaryDirectory();
    await writeFile(join(directory, 'file'), '');
    const blocked = createDiskStorage(join(directory, 'file'));
    await expect(blocked.put(NAME, bytes('x'))).rejects.toMatchObject(UNAVAILABLE);
    await expect(blocked.get(NAME)).rejects.toMatchObject(UNAVAILABLE);

    await mkdir(join(directory, NAME)); // no file can take its place
    const storage = createDiskStorage(directory);
    await expect(storage.put(NAME, bytes('x'))).rejects.toMatchObject(UNAVAILABLE);
    expect(await readdir(join(directory, 'incoming'))).toEqual([]);
  });
});

describe('S3', () => {
  async function serve(answer: RequestListener): Promise<Storage> {
    const server = createServer(answer).listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.closeAllConnections());
    onTestFinished(() => void server.close());
    return createS3Storage(s3Options(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
  }

  async function expectUnavailable(storage: Storage): Promise<void> {
    const tasks = [storage.put(NAME, bytes('x')), storage.get(NAME), storage.delete(NAME)];
    for (const result of await Promise.allSettled(tasks)) {
      expect(result).toMatchObject({ status: 'rejected', reason: UNAVAILABLE });
    }
  }

  test.each([500, 503, 429, 403, 301])('an answer of %i is unavailable', async (status) => {
    await expectUnavailable(await serve((_request, response) => void response.writeHead(status).end()));
  });

  test('a connection that is refused is unavailable', async () => {
    await expectUnavailable(createS3Storage(s3Options('http://127.0.0.1:1')));
  });

  test('a service that takes a request and says nothing is given up in time', async () => {
    await expectUnavailable(await serve(() => {}));
  });

  test('so is one that stops in the middle of an answer', async () => {
    const storage = await serve((_request, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('half');
    });
    await expect(storage.get(NAME)).rejects.toMatchObject(UNAVAILABLE);
  });

  test('a bucket that is not there is not a missing file', async () => {
    const storage = createS3Storage({ ...s3Options(s3.endpoint), bucket: 'no-such-bucket' });
    await expect(storage.put(NAME, bytes('x'))).rejects.toMatchObject(UNAVAILABLE);
    await expect(storage.get(NAME)).rejects.toMatchObject(UNAVAILABLE);
  });

  test('an unknown key is unavailable', async () => {
    const storage = createS3Storage({ ...s3Options(s3.endpoint), accessKeyId: 'unknown' });
    await expectUnavailable(storage);
  });
});
