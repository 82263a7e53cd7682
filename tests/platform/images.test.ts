import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import { createImages } from '../../src/platform/images.ts';
import { times } from '../support/harness.ts';
import { noise, plainPng, pngChunk } from '../support/pictures.ts';

const { toAvatar } = createImages();

const refused = (file: Uint8Array, reason: string) =>
  expect(toAvatar(file)).rejects.toMatchObject({ code: 'BAD_REQUEST', field: 'file', reason });

const bytes = (...texts: string[]) => Buffer.from(texts.join(''), 'latin1');
const half = (file: Buffer) => file.subarray(0, Math.floor(file.length / 2));

const FORMATS = ['png', 'jpeg', 'webp'] as const;
const files: Record<(typeof FORMATS)[number], Buffer> = {} as never;
beforeAll(async () => {
  for (const format of FORMATS) files[format] = await noise().toFormat(format).toBuffer();
});

describe('a picture becomes 256×256 WebP', () => {
  test.each(FORMATS)('%s', async (format) => {
    const avatar = await toAvatar(files[format]);
    expect(await sharp(avatar).metadata()).toMatchObject({ format: 'webp', width: 256, height: 256 });
  });

  test('the same file gives the same bytes', async () => {
    expect(await toAvatar(files.png)).toEqual(await toAvatar(files.png));
  });

  test.each([
    [1, 1],
    [1, 20_000],
    [20_000, 1],
    [7071, 7071],
    [16_383, 2000],
  ])('of %i×%i pixels', async (width, height) => {
    const avatar = await toAvatar(plainPng(width, height));
    expect(await sharp(avatar).metadata()).toMatchObject({ width: 256, height: 256 });
  });

  test('progressive, interlaced, grey, CMYK and 16-bit pictures are read', async () => {
    for (const file of [
      await noise().jpeg({ progressive: true }).toBuffer(),
      await noise().toColourspace('cmyk').jpeg().toBuffer(),
      await noise().greyscale().jpeg().toBuffer(),
      await noise().png({ progressive: true }).toBuffer(),
      await noise().toColourspace('rgb16').png().toBuffer(),
      await noise().png({ palette: true }).toBuffer(),
      await noise().webp({ lossless: true }).toBuffer(),
    ]) {
      expect(await sharp(await toAvatar(file)).metadata()).toMatchObject({ format: 'webp', width: 256 });
    }
  });

  test('what is transparent stays so', async () => {
    const clear = { r: 0, g: 0, b: 0, alpha: 0 };
    const file = await sharp({ create: { width: 20, height: 20, channels: 4, background: clear } })
      .png()
      .toBuffer();
    const { channels } = await sharp(await toAvatar(file)).stats();
    expect(channels[3]?.max).toBe(0);
  });

  test('it stands upright, and nothing of EXIF, GPS, XMP or a profile is left', async () => {
    const left = await sharp({ create: { width: 50, height: 100, channels: 3, background: 'red' } })
      .png()
      .toBuffer();
    const file = await sharp({ create: { width: 100, height: 100, channels: 3, background: 'blue' } })
      .composite([{ input: left, gravity: 'west' }])
      .withExif({ IFD0: { Make: 'Canary' }, IFD3: { GPSLatitude: '52/1 30/1 0/1' } })
      .withXmp('<x:xmpmeta xmlns:x="adobe:ns:meta/"><canary/></x:xmpmeta>')
      .withIccProfile('p3')
      .withMetadata({ orientation: 6 }) // its top is on the left: it is to be turned clockwise
      .jpeg()
      .toBuffer();
    expect(await sharp(file).metadata()).toMatchObject({ orientation: 6, exif: expect.anything() });
    const avatar = await toAvatar(file);
    const found = await sharp(avatar).metadata();
    expect([found.exif, found.xmp, found.icc, found.iptc, found.orientation]).toEqual(
      Array(5).fill(undefined),
    );
    expect(Buffer.from(avatar).includes('anary')).toBe(false);
    const { dominant } = await sharp(
      await sharp(avatar).extract({ left: 156, top: 0, width: 100, height: 100 }).png().toBuffer(),
    ).stats();
    expect(dominant.r).toBeGreaterThan(200); // what was on the left is above
  });

  test('of an animation, its first frame', async () => {
    const frames = await Promise.all(
      ['red', 'blue'].map((background) =>
        sharp({ create: { width: 40, height: 40, channels: 3, background } })
          .png()
          .toBuffer(),
      ),
    );
    const animation = await sharp(frames, { join: { animated: true } })
      .webp()
      .toBuffer();
    expect((await sharp(animation).metadata()).pages).toBe(2);
    const avatar = await toAvatar(animation);
    expect((await sharp(avatar).metadata()).pages ?? 1).toBe(1);
    expect((await sharp(avatar).stats()).dominant.r).toBeGreaterThan(200);
  });
});

describe('what is no PNG, JPEG or WebP is refused, whatever libvips could make of it', () => {
  const SVG =
    '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>';

  test.each([
    ['nothing', ''],
    ['one byte', '\x89'],
    ['text', 'hello'],
    ['SVG', SVG],
    ['SVG with a declaration', `<?xml version="1.0"?>${SVG}`],
    ['PDF', '%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\n%%EOF'],
    ['HTML', '<!doctype html><script>alert(1)</script>'],
    ['ZIP', 'PK\x03\x04'.padEnd(64, '\0')],
    ['a PPM', 'P6 1 1 255\nabc'],
  ])('%s', (_name, text) => refused(bytes(text), 'not_an_image'));

  test.each(['gif', 'tiff', 'avif'] as const)('%s', async (format) =>
    refused(await noise().toFormat(format).toBuffer(), 'not_an_image'),
  );
});

test('of a photograph with further JPEGs behind it, as phones write them, the first', async () => {
  const brightness = await noise({ width: 16, height: 16 }).jpeg().toBuffer();
  const photograph = Buffer.concat([files.jpeg, brightness, files.jpeg]);
  expect(await toAvatar(photograph)).toEqual(await toAvatar(files.jpeg));
});

describe('a file that is something else too is refused', () => {
  const EXTRA = { HTML: '<script>alert(1)</script>', ZIP: 'PK\x05\x06'.padEnd(22, '\0'), 'one byte': '\0' };

  describe.each(FORMATS)('%s', (format) => {
    test.each(Object.entries(EXTRA))('followed by %s', (_name, text) =>
      refused(Buffer.concat([files[format], bytes(text)]), 'image_not_whole'),
    );

    test.each(Object.entries(EXTRA))('after %s', (_name, text) =>
      refused(Buffer.concat([bytes(text), files[format]]), 'not_an_image'),
    );

    test('after a tag that sniffers skip', () =>
      expect(toAvatar(Buffer.concat([bytes('ID3\x03\0\0\0\0\0\0'), files[format]]))).rejects.toMatchObject({
        code: 'BAD_REQUEST',
        field: 'file',
      }));

    test.skipIf(format === 'jpeg')('followed by itself', () =>
      refused(Buffer.concat([files[format], files[format]]), 'image_not_whole'),
    );
  });

  test.each(Object.entries(EXTRA))('two JPEGs followed by %s', (_name, text) =>
    refused(Buffer.concat([files.jpeg, files.jpeg, bytes(text)]), 'image_not_whole'),
  );
  test('a million JPEGs of nothing', () =>
    refused(bytes('\xff\xd8\xff\xd9'.repeat(1_000_000)), 'image_not_whole'));

  test.each([
    ['PNG', '\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0'],
    ['JPEG', '\xff\xd8\xff\xe0\0\x10JFIF\0'],
    ['WebP', 'RIFF\xff\xff\0\0WEBPVP8 '],
  ])('a page behind the first bytes of %s', (_name, head) =>
    refused(bytes(head, EXTRA.HTML.repeat(20)), 'image_not_whole'),
  );

  test('a script in a comment does not come out again', async () => {
    const comment = bytes('\xff\xfe\0\x1b', EXTRA.HTML);
    const file = Buffer.concat([files.jpeg.subarray(0, 2), comment, files.jpeg.subarray(2)]);
    expect(Buffer.from(await toAvatar(file)).includes('script')).toBe(false);
  });
});

describe('what is damaged is refused', () => {
  test.each(FORMATS)('a %s that breaks off', async (format) => {
    const file = files[format];
    for (const length of [20, 40, Math.floor(file.length / 2), file.length - 1]) {
      await expect(toAvatar(file.subarray(0, length)), `${length}`).rejects.toMatchObject({
        code: 'BAD_REQUEST',
        field: 'file',
      });
    }
  });

  test('a JPEG that breaks off and ends as if it were whole', () =>
    refused(Buffer.concat([half(files.jpeg), bytes('\xff\xd9')]), 'image_damaged'));

  test('a PNG with half of its data, or with a wrong checksum', async () => {
    const [start, end] = [files.png.indexOf('IDAT'), files.png.indexOf('IEND') - 4];
    const data = files.png.subarray(start + 4, end - 4);
    const cut = [files.png.subarray(0, start - 4), pngChunk('IDAT', half(data)), pngChunk('IEND', bytes(''))];
    await refused(Buffer.concat(cut), 'image_damaged');
    const wrong = Buffer.from(files.png);
    wrong.writeUInt8(wrong.readUInt8(start + 20) ^ 0xff, start + 20);
    await refused(wrong, 'image_damaged');
  });
});

describe('what would cost too much is refused from its header', () => {
  test('256 megapixels in a PNG', () => refused(plainPng(16_384, 16_384), 'too_many_pixels'));
  test('just above 50 megapixels', () => refused(plainPng(50_000, 1001), 'too_many_pixels'));
  /** A PNG whose header promises what no data follows: bits a channel, kind of colour, and whether it is interlaced. */
  const promising = (side: number, bits: number, colour: number, interlaced: number) => {
    const header = Buffer.alloc(13);
    header.writeUInt32BE(side, 0);
    header.writeUInt32BE(side, 4);
    header.set([bits, colour, 0, 0, interlaced], 8);
    return Buffer.concat([
      files.png.subarray(0, 8),
      pngChunk('IHDR', header),
      pngChunk('IDAT', deflateSync(bytes('\0'))),
      pngChunk('IEND', bytes('')),
    ]);
  };
  test('a header that promises what no data follows', () =>
    refused(promising(0x7fffffff, 8, 0, 0), 'image_damaged'));
  test('what has to be held whole: 50 megapixels of four channels of 16 bits, interlaced', async () => {
    await refused(promising(7_071, 16, 6, 1), 'too_many_pixels');
    await refused(promising(7_071, 16, 6, 0), 'image_damaged'); // row by row it could be read
  });

  test('compressed text and profiles that swell to gigabytes change nothing', async () => {
    const bomb = deflateSync(Buffer.alloc(64_000_000), { level: 9 });
    const text = times(40, (index) => pngChunk('zTXt', Buffer.concat([bytes(`k${index}\0\0`), bomb])));
    const profile = pngChunk('iCCP', Buffer.concat([bytes('p\0\0'), bomb]));
    const plain = await toAvatar(plainPng(8, 8));
    for (const chunks of [text, [profile]]) expect(await toAvatar(plainPng(8, 8, chunks))).toEqual(plain);
  });
});

test('a JPEG in more scans than encoders make is refused', async () => {
  const start = files.jpeg.indexOf(bytes('\xff\xda'));
  const scan = files.jpeg.subarray(start, -2);
  const file = Buffer.concat([files.jpeg.subarray(0, -2), ...times(100, () => scan), bytes('\xff\xd9')]);
  await refused(file, 'image_not_whole');
});

test('a picture in more pieces than pictures have is refused', async () => {
  const none = Buffer.alloc(0);
  const chunks = times(10_001, () => pngChunk('tEXt', none));
  await refused(plainPng(8, 8, chunks), 'image_not_whole');
  const segments = times(10_001, () => bytes('\xff\xfe\0\x02'));
  const file = Buffer.concat([files.jpeg.subarray(0, 2), ...segments, files.jpeg.subarray(2)]);
  await refused(file, 'image_not_whole');
});

test('of many at once, those that cannot soon be done are told to come again', async () => {
  const images = createImages();
  const file = await noise({ width: 3000, height: 3000 }).jpeg().toBuffer();
  const results = await Promise.allSettled(times(80, () => images.toAvatar(file)));
  const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
  expect(results.length - failures.length).toBeGreaterThan(0);
  expect(failures).not.toEqual([]);
  for (const failure of failures) {
    expect(failure).toMatchObject({ code: 'SERVICE_UNAVAILABLE', reason: 'too_many_pictures' });
  }
});
