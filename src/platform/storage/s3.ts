import {
  DeleteObjectCommand,
  GetObjectCommand,
  NoSuchKey,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import type { Storage } from '../../domain/storage.ts';
import { unavailable } from '../../kernel/errors.ts';
import { requireName } from './name.ts';

export type S3Options = {
  /** Undefined for Amazon's own. */
  endpoint: string | undefined;
  region: string;
  bucket: string;
  accessKeyId: string;
  secretAccessKey: string;
  /** Whether the bucket is named in the path of a URL, and not in its host. */
  forcePathStyle: boolean;
};

/** In milliseconds, for one attempt and for all of them with the answer's body. */
const TIMEOUTS = { connection: 2_000, request: 4_000, total: 9_000 };
const ATTEMPTS = 2;

/** Keeps files below `avatars/` in a bucket of an S3-compatible service. */
export function createS3Storage(options: S3Options): Storage {
  const { endpoint, region, bucket, accessKeyId, secretAccessKey, forcePathStyle } = options;
  const client = new S3Client({
    ...(endpoint === undefined ? {} : { endpoint }),
    region,
    credentials: { accessKeyId, secretAccessKey },
    forcePathStyle,
    maxAttempts: ATTEMPTS,
    // Many services that speak S3 know none of the newer checksums.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      connectionTimeout: TIMEOUTS.connection,
      requestTimeout: TIMEOUTS.request,
      throwOnRequestTimeout: true,
      socketTimeout: TIMEOUTS.request,
    },
  });
  const objectOf = (name: string) => ({ Bucket: bucket, Key: `avatars/${requireName(name)}` });

  /** Gives up in time, also on a service that sends half of an answer and then nothing. */
  async function attempt<T>(task: (abortSignal: AbortSignal) => Promise<T>): Promise<T> {
    const late = AbortSignal.timeout(TIMEOUTS.total);
    const tooLate = new Promise<never>((_, reject) => {
      late.addEventListener('abort', () => reject(late.reason), { once: true });
    });
    try {
      return await Promise.race([task(late), tooLate]);
    } catch (error) {
      throw unavailable('storage_unavailable', 'The files cannot be reached now. Try again.', error);
    }
  }

  return {
    async put(name, bytes) {
      const command = new PutObjectCommand({ ...objectOf(name), Body: bytes, ContentType: 'image/webp' });
      await attempt((abortSignal) => client.send(command, { abortSignal }));
    },

    async get(name) {
      const command = new GetObjectCommand(objectOf(name));
      return attempt(async (abortSignal) => {
        try {
          const { Body } = await client.send(command, { abortSignal });
          return await Body?.transformToByteArray();
        } catch (error) {
          if (error instanceof NoSuchKey) return undefined;
          throw error;
        }
      });
    },

    async delete(name) {
      const command = new DeleteObjectCommand(objectOf(name));
      await attempt((abortSignal) => client.send(command, { abortSignal }));
    },
  };
}
