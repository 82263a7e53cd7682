import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { handleFamily, isWithin, labelFromName, namesAbove, parseHandle } from '../../src/kernel/handles.ts';

const BASE = 'panel.example.net';
const problemOf = (text: string) => {
  const result = parseHandle(text, BASE);
  return 'problem' in result ? result.problem : undefined;
};
const handleOf = (text: string) => {
  const result = parseHandle(text, BASE);
  return 'handle' in result ? result.handle : undefined;
};

const letterOrDigit = fc.constantFrom(...'abcdefghijklmnopqrstuvwxyz0123456789');
const label = fc
  .tuple(letterOrDigit, fc.string({ unit: fc.constantFrom(...'abcxyz019-'), maxLength: 10 }), letterOrDigit)
  .map((parts) => parts.join(''));
const name = fc
  .tuple(
    fc.array(label, { minLength: 1, maxLength: 4 }),
    fc.constantFrom('com', 'example.org', BASE, 'io', 'co.uk'),
  )
  .map(([labels, top]) => [...labels, top].join('.'));

describe('parseHandle', () => {
  test.each([
    ['acme.example.com', 'acme.example.com'],
    ['ACME.Example.COM', 'acme.example.com'],
    ['acme', `acme.${BASE}`],
    ['a.b.c.example.com', 'a.b.c.example.com'],
    ['xn--bcher-kva.example.com', 'xn--bcher-kva.example.com'],
    ['XN--BCHER-KVA.example.com', 'xn--bcher-kva.example.com'],
    ['acme.xn--p1ai', 'acme.xn--p1ai'],
    [`deep.acme.${BASE}`, `deep.acme.${BASE}`],
    [`${'a'.repeat(63)}.example.com`, `${'a'.repeat(63)}.example.com`],
    ['city.kawasaki.jp', 'city.kawasaki.jp'],
  ])('takes %s as %s', (text, handle) => expect(handleOf(text)).toBe(handle));

  test.each([
    ['xn--a.example.com'], // does not decode
    ['xn--zzzzzz.example.com'],
    ['xn--abc-.example.com'], // abc in another spelling
    ['xn--.example.com'],
  ])('takes no punycode of nothing: %s', (text) => expect(problemOf(text)).toBe('invalid'));

  test.each([
    ['bücher.example.com', 'xn--bcher-kva.example.com'],
    ['Bu\u0308cher.example.com', 'xn--bcher-kva.example.com'],
    ['bücher', `xn--bcher-kva.${BASE}`],
    ['аcme.example.com', 'xn--cme-5cd.example.com'], // a Cyrillic а
  ])('names the punycode of %s, and does not take it', (text, punycode) => {
    const result = parseHandle(text, BASE);
    expect(result).toMatchObject({ problem: 'invalid', message: expect.stringMatching(`${punycode}$`) });
    expect(handleOf(punycode)).toBe(punycode);
  });

  test.each([
    ['a b.example.com'],
    ['a_b.example.com'],
    ['ä b.example.com'],
    ['ä%62.example.com'],
    ['a..b'],
    ['ä@b.com'],
  ])('names none for %s', (text) =>
    expect(parseHandle(text, BASE)).toMatchObject({ message: expect.not.stringContaining('punycode') }),
  );

  test.each([
    [BASE, 'base_domain'],
    ['example.net', 'base_domain'],
    [BASE.toUpperCase(), 'base_domain'],
    ['www', 'reserved'],
    [`www.${BASE}`, 'reserved'],
    [`shop.www.${BASE}`, 'reserved'],
    ['ns1.example.com', 'reserved'],
    ['WWW.example.com', 'reserved'],
    ['co.uk', 'public_suffix'],
    ['github.io', 'public_suffix'],
    ['kawasaki.jp', 'public_suffix'],
    ['any.kawasaki.jp', 'public_suffix'],
    ['', 'invalid'],
    ['.', 'invalid'],
    ['.example.com', 'invalid'],
    ['acme.example.com.', 'invalid'],
    ['acme..example.com', 'invalid'],
    ['acme_inc.example.com', 'invalid'],
    ['-acme.example.com', 'invalid'],
    ['acme-.example.com', 'invalid'],
    ['acme.example.c', 'invalid'],
    ['10.0.0.1', 'invalid'],
    ['acme.example.com\r\n', 'invalid'],
    ['acme.example.com\n', 'invalid'],
    ['acme.example.com\0', 'invalid'],
    [' acme.example.com', 'invalid'],
    ['acme .example.com', 'invalid'],
    ['*.example.com', 'invalid'],
    ['bücher.example.com', 'invalid'],
    ['аcme.example.com', 'invalid'], // a Cyrillic a
    ['\u212Aube.example.com', 'invalid'], // the Kelvin sign, a k in lower case
    ['acme\u3002example.com', 'invalid'], // an ideographic full stop
    [`${'a'.repeat(64)}.example.com`, 'invalid'],
    [`${'a.'.repeat(127)}com`, 'invalid'],
    [`${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.${'d'.repeat(60)}.example`, undefined],
    ['a'.repeat(250), 'invalid'], // too long once it is completed
  ])('%j is %s', (text, problem) => expect(problemOf(text)).toBe(problem));

  test('100 KB are refused at once', () => {
    const start = performance.now();
    for (const text of ['a', 'a.', 'a-', '-', '.', 'é'].map((part) => part.repeat(100_000 / part.length))) {
      expect(problemOf(text)).toBe('invalid');
    }
    expect(performance.now() - start).toBeLessThan(1000);
  });

  test('whatever it takes is a canonical host name outside the base domain', () => {
    fc.assert(
      fc.property(fc.oneof(name, label, fc.string({ unit: 'binary' }), fc.domain()), (text) => {
        const handle = handleOf(text);
        if (handle === undefined) return;
        expect(handle).toMatch(/^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]$/);
        expect(handle.length).toBeLessThanOrEqual(253);
        expect(isWithin(BASE, handle)).toBe(false);
        expect(handleOf(handle)).toBe(handle);
        expect(handleOf(text.toUpperCase())).toBe(handle);
      }),
    );
  });
});

describe('families', () => {
  test('a handle and every handle below it are locked together', () => {
    fc.assert(
      fc.property(name, fc.array(label, { minLength: 1, maxLength: 3 }), (parent, labels) => {
        const above = handleOf(parent);
        const below = handleOf([...labels, parent].join('.'));
        fc.pre(above !== undefined && below !== undefined);
        expect(handleFamily(String(below), BASE)).toBe(handleFamily(String(above), BASE));
        expect(namesAbove(String(below))).toContain(above);
      }),
    );
  });

  test('unrelated handles are not held up by one another', () => {
    expect(handleFamily(`a.${BASE}`, BASE)).not.toBe(handleFamily(`b.${BASE}`, BASE));
    expect(handleFamily('a.example.com', BASE)).not.toBe(handleFamily('a.example.org', BASE));
  });

  test('a name lies within itself and within its parents, not within look-alikes', () => {
    expect(isWithin('a.b.c', 'b.c')).toBe(true);
    expect(isWithin('b.c', 'b.c')).toBe(true);
    expect(isWithin('ab.c', 'b.c')).toBe(false);
    expect(isWithin('b.c', 'a.b.c')).toBe(false);
    expect(namesAbove('a.b.c.d')).toEqual(['b.c.d', 'c.d', 'd']);
  });
});

describe('labelFromName', () => {
  test.each([
    ['Acme Corp.', 'acme-corp'],
    ['Ünïcödé', 'unicode'],
    ["O'Reilly’s", 'oreillys'],
    ['---', 'org'],
    ['日本', 'org'],
    [`${'a'.repeat(39)}-b`, 'a'.repeat(39)],
  ])('%s becomes %s', (text, expected) => expect(labelFromName(text)).toBe(expected));

  test('is always a label that can be completed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 100 }), (text) => {
        expect(['reserved', undefined]).toContain(problemOf(labelFromName(text)));
      }),
    );
  });
});
