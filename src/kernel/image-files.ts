/** The formats that pictures may come in, by the names that their media types have after `image/`. */
export type ImageFormat = 'png' | 'jpeg' | 'webp';

/** Chunks of a PNG, segments of a JPEG. Real files have some hundreds; of tiny ones millions would fit into a file. */
const MAX_PIECES = 10_000;

/** Each scan of a JPEG costs a pass over all its pixels. Encoders make about ten, the format allows thousands. */
const MAX_SCANS = 100;

/** JPEGs in one file; phones write two to four. */
const MAX_PICTURES = 10;

const PNG_SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
/** What the look of a PNG depends on. Texts, which may be compressed a thousandfold, and further frames are not. */
const PNG_KEPT = new Set(['IHDR', 'PLTE', 'tRNS', 'gAMA', 'cHRM', 'sRGB', 'iCCP', 'eXIf', 'IDAT', 'IEND']);

const viewOf = (file: Uint8Array): DataView => new DataView(file.buffer, file.byteOffset, file.byteLength);

/** PNG 1.2, section 3: a signature, then chunks of length, name, data and checksum, the last one IEND. */
function readPng(file: Uint8Array): Uint8Array | undefined {
  if (PNG_SIGNATURE.some((byte, index) => file[index] !== byte)) return undefined;
  const view = viewOf(file);
  const kept = [file.subarray(0, PNG_SIGNATURE.length)];
  let at = PNG_SIGNATURE.length;
  for (let count = 0; count < MAX_PIECES && at + 12 <= file.length; count += 1) {
    const start = at;
    const name = String.fromCharCode(...file.subarray(at + 4, at + 8));
    at += 12 + view.getUint32(at);
    if (PNG_KEPT.has(name)) kept.push(file.subarray(start, at));
    if (name === 'IEND') return at === file.length ? joined(kept) : undefined;
  }
  return undefined;
}

function joined(pieces: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

const [SOI, EOI, SOS, TEM] = [0xd8, 0xd9, 0xda, 0x01];
const isRestart = (marker: number): boolean => marker >= 0xd0 && marker <= 0xd7;

/** Behind a photograph phones put further ones: its brightness, depth, a preview (CIPA DC-007, multi-picture format). */
function readJpeg(file: Uint8Array): Uint8Array | undefined {
  const first = endOfJpeg(file, 0);
  let end = first;
  for (let count = 1; count < MAX_PICTURES && end !== undefined && end < file.length; count += 1) {
    end = endOfJpeg(file, end);
  }
  return end === file.length ? file.subarray(0, first) : undefined;
}

/** ITU-T T.81, annex B: markers, most of them with a segment of stated length; after SOS data until the next marker. */
function endOfJpeg(file: Uint8Array, start: number): number | undefined {
  if (file[start] !== 0xff || file[start + 1] !== SOI) return undefined;
  const view = viewOf(file);
  let at = start + 2;
  let scans = 0;
  for (let count = 0; count < MAX_PIECES && at + 2 <= file.length && file[at] === 0xff; count += 1) {
    const marker = view.getUint8(at + 1);
    if (marker === EOI) return at + 2;
    if (marker === 0xff) at += 1;
    else if (marker === TEM || isRestart(marker)) at += 2;
    else {
      if (at + 4 > file.length) return undefined;
      at += 2 + view.getUint16(at + 2);
      if (marker !== SOS) continue;
      scans += 1;
      if (scans > MAX_SCANS) return undefined;
      at = endOfScan(file, at);
    }
  }
  return undefined;
}

/** In a scan, 0xff is followed by 0 when it is data. */
function endOfScan(file: Uint8Array, start: number): number {
  for (let at = start; at + 1 < file.length; at += 1) {
    if (file[at] !== 0xff) continue;
    const next = file[at + 1] ?? 0;
    if (next !== 0 && !isRestart(next)) return at;
  }
  return file.length;
}

const [RIFF, WEBP] = [0x52494646, 0x57454250];

/** RFC 9649, section 2.4: one RIFF chunk, padded to an even length. */
function readWebp(file: Uint8Array): Uint8Array | undefined {
  const view = viewOf(file);
  if (view.getUint32(0) !== RIFF || view.getUint32(8) !== WEBP) return undefined;
  const size = view.getUint32(4, true);
  return 8 + size + (size % 2) === file.length ? file : undefined;
}

const READERS = { png: readPng, jpeg: readJpeg, webp: readWebp };
const SHORTEST = 16;

/**
 * The picture in a file that is this picture and nothing else: it begins with the format's first byte and ends with
 * its last, or that of a further JPEG behind a JPEG. A file with more in it may be something else too, such as an archive
 * or a page, to who reads it from the other end; for that, and for more pieces than pictures have, the answer is undefined.
 */
export const wholeImage = (file: Uint8Array, format: ImageFormat): Uint8Array | undefined =>
  file.length < SHORTEST ? undefined : READERS[format](file);
