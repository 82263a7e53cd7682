import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import S3rver from 's3rver';

export const BUCKET = 'avatars';
/** The one account that s3rver knows. */
export const KEYS = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' };

/** A real S3 server on loopback with an empty bucket. */
export async function startS3() {
  const directory = await mkdtemp(join(tmpdir(), 'tenantry-s3-'));
  const server = new S3rver({
    address: '127.0.0.1',
    port: 0,
    silent: true,
    directory,
    configureBuckets: [{ name: BUCKET, configs: [] }],
  });
  const { port } = await server.run();
  return {
    endpoint: `http://127.0.0.1:${port}`,
    async stop() {
      server.httpServer.closeAllConnections(); // the SDK keeps its connections
      await server.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
