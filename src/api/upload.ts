import { TRPCError } from '@trpc/server';
import { z } from 'zod';

/** A file in a form. Its bytes are read when they are asked for, so that a refusal need not wait for them. */
export class Upload {
  /** @throws BAD_REQUEST for a form that is broken off or malformed, PAYLOAD_TOO_LARGE for a large file. */
  readonly read: () => Promise<Uint8Array>;
  constructor(read: () => Promise<Uint8Array>) {
    this.read = read;
  }
}

/** The part of a form that holds the file. In the document it is binary, as OpenAPI says it of forms. */
export const UploadedFile = z
  .instanceof(Upload, { error: 'must be a file' })
  .meta({ override: { type: 'string', format: 'binary' } });

/** What everybody should know who sends a picture. */
export const PICTURE_RULES =
  'A form with the picture in its part `file`: PNG, JPEG or WebP by content, at most 5 MB and 50 megapixels (150 MB unpacked where it is interlaced, progressive or WebP), and nothing else in the file but the further JPEGs that phones write behind a photograph. It becomes 256×256 WebP, upright, cut from the middle, without metadata; of an animation, the first frame.';

export const formWanted = () =>
  new TRPCError({ code: 'UNSUPPORTED_MEDIA_TYPE', message: 'Send a form, as multipart/form-data.' });
