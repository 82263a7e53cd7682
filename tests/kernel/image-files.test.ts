import { deflateSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { wholeImage } from '../../src/kernel/image-files.ts';
import { plainPng, pngChunk } from '../support/pictures.ts';

test('texts in a PNG are taken out before anybody unpacks them', () => {
  const text = deflateSync(Buffer.alloc(100_000));
  const chunks = ['tEXt', 'zTXt', 'iTXt', 'acTL', 'fdAT', 'tIME', 'xxXx'].map((name) => pngChunk(name, text));
  const picture = wholeImage(plainPng(8, 8, chunks), 'png');
  expect(Buffer.from(picture ?? []).equals(plainPng(8, 8))).toBe(true);
});

test('what its look depends on stays', () => {
  const chunks = ['iCCP', 'gAMA', 'cHRM', 'sRGB', 'tRNS', 'PLTE', 'eXIf'].map((name) =>
    pngChunk(name, Buffer.from('x')),
  );
  const file = plainPng(8, 8, chunks);
  expect(Buffer.from(wholeImage(file, 'png') ?? []).equals(file)).toBe(true);
});

test.each(['png', 'jpeg', 'webp'] as const)('a %s that is not one, of any length, is none', (format) => {
  for (const file of [Buffer.alloc(0), Buffer.alloc(15), Buffer.alloc(64), Buffer.alloc(64, 0xff)]) {
    expect(wholeImage(file, format)).toBeUndefined();
  }
});
