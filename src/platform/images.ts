import { availableParallelism } from 'node:os';
import { fileTypeFromBuffer } from 'file-type';
import sharp from 'sharp';
import type { Images } from '../domain/images.ts';
import { badRequest, unavailable } from '../kernel/errors.ts';
import { type ImageFormat, wholeImage } from '../kernel/image-files.ts';
import { createSemaphore } from '../kernel/semaphore.ts';

const SIZE = 256;
const MAX_PIXELS = 50_000_000;
/** Of a picture that has to be held whole in memory. */
const MAX_BYTES = 150_000_000;
/** Far more than 50 megapixels take. */
const MAX_SECONDS = 10;
/** What file-type needs to tell formats apart; it would walk through all of a longer file. */
const SNIFFED_BYTES = 4100;

const FORMATS: Record<string, ImageFormat> = {
  'image/png': 'png',
  'image/apng': 'png',
  'image/jpeg': 'jpeg',
  'image/webp': 'webp',
};

// libvips reads dozens of formats; whatever a file claims, it gets these three.
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({
  operation: ['VipsForeignLoadPngBuffer', 'VipsForeignLoadJpegBuffer', 'VipsForeignLoadWebpBuffer'],
});
sharp.cache(false); // no picture is read twice
sharp.concurrency(1); // several pictures at once instead of several threads for one

const refuse = (reason: string, message: string) => badRequest('file', reason, message);

/** The picture in a file. Its format is told by content: names and media types are the sender's word. */
async function pictureIn(file: Uint8Array): Promise<Uint8Array> {
  const type = await fileTypeFromBuffer(file.subarray(0, SNIFFED_BYTES));
  const format = FORMATS[type?.mime ?? ''];
  if (format === undefined) throw refuse('not_an_image', 'Send a PNG, JPEG or WebP picture.');
  const picture = wholeImage(file, format);
  if (picture === undefined) {
    throw refuse('image_not_whole', 'The file must be one whole picture, with nothing before or after it.');
  }
  return picture;
}

/** libvips names what it could not read; none of its failures is ours. */
const readable = <T>(result: Promise<T>): Promise<T> =>
  result.catch(() => {
    throw refuse('image_damaged', 'The picture is damaged, or too costly to read.');
  });

async function toAvatar(file: Uint8Array): Promise<Uint8Array> {
  const picture = await pictureIn(file);
  const { width, height, channels, depth, format, isProgressive } = await readable(
    sharp(picture, { limitInputPixels: false }).metadata(),
  );
  if (width * height > MAX_PIXELS) {
    throw refuse('too_many_pixels', `A picture has at most ${MAX_PIXELS / 1_000_000} megapixels.`);
  }
  // Others are read row by row.
  const isHeldWhole = isProgressive || format === 'webp';
  if (isHeldWhole && width * height * channels * (depth === 'ushort' ? 2 : 1) > MAX_BYTES) {
    throw refuse(
      'too_many_pixels',
      `Interlaced, progressive and WebP pictures take at most ${MAX_BYTES / 1_000_000} MB unpacked.`,
    );
  }
  return readable(
    sharp(picture, { limitInputPixels: MAX_PIXELS, failOn: 'warning', pages: 1, unlimited: false })
      .autoOrient()
      .resize(SIZE, SIZE, { fit: 'cover' })
      .webp()
      .timeout({ seconds: MAX_SECONDS })
      .toBuffer(),
  );
}

/** sharp works in threads of its own. One core stays free for everything else; who would wait long may come again. */
export function createImages(): Images {
  const oneOfFew = createSemaphore({
    permits: Math.max(1, availableParallelism() - 1),
    maxQueue: 16,
    maxWaitMs: 5_000,
    refuse: () => unavailable('too_many_pictures', 'Too many pictures at once. Try again.'),
  });
  return { toAvatar: (file) => oneOfFew(() => toAvatar(file)) };
}
