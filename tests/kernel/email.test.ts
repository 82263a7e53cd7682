import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalEmail } from '../../src/kernel/email.ts';
import { Email } from '../../src/kernel/schemas.ts';

const read = (text: string) => Email.safeParse(text).data;

describe('an address', () => {
  test.each([
    ['ada@example.org', 'ada@example.org'],
    ['  Ada.B+c@Example.ORG ', 'ada.b+c@example.org'],
    ["o'neill@example.org", "o'neill@example.org"],
    ['Ada@EXÄMPLE.org', 'ada@xn--exmple-cua.org'],
    ['ada@exa\u0308mple.org', 'ada@xn--exmple-cua.org'], // a letter and its dots apart
    ['ada@XN--EXMPLE-CUA.org', 'ada@xn--exmple-cua.org'],
    ['ada@faß.de', 'ada@xn--fa-hia.de'],
    ['ada@ｅｘａｍｐｌｅ．ｏｒｇ', 'ada@example.org'], // full width
    ['ada@example。org', 'ada@example.org'],
    ['ada@ex\u00adample.org', 'ada@example.org'], // a soft hyphen
    ['a@президент.рф', 'a@xn--d1abbgf6aiiy.xn--p1ai'],
    ['a@xn--d1abbgf6aiiy.xn--p1ai', 'a@xn--d1abbgf6aiiy.xn--p1ai'],
    [`${'a'.repeat(242)}@example.org`, `${'a'.repeat(242)}@example.org`],
  ])('%s is %s', (text, address) => {
    expect(read(text)).toBe(address);
    expect(read(address)).toBe(address);
  });

  test.each([
    ['full width before the @', 'ａda@example.org'],
    ['the Kelvin sign, which is a k in lower case', '\u212Aate@example.org'],
    ['a dotted capital I', '\u0130da@example.org'],
    ['letters beyond ASCII before the @', 'ädä@example.org'],
    ['a full-width @', 'ada＠example.org'],
    ['two of them', 'ada@grace@example.org'],
    ['what a URL would decode', 'ada@exa%6dple.org'],
    ['what a URL would cut off', 'ada@exämple.org#.example.com'],
    ['a port', 'ada@exämple.org:25'],
    ['a path', 'ada@exämple.org/a.com'],
    ['a user', 'ada@ä:b@example.org'],
    ['punycode of nothing', 'ada@xn--a.org'],
    ['a numeric address', 'ada@127.0.0.1'],
    ['a numeric address in full width', 'ada@１２７.0.0.1'],
    ['an address in brackets', 'ada@[::1]'],
    ['an underscore', 'ada@exa_mple.org'],
    ['a lone surrogate', 'ada@\ud800.org'],
    ['a line break', 'ada@example.org\r\nBcc: eve@example.org'],
    ['a line break in another alphabet', 'ada@exämple.org\r\nBcc: eve@example.org'],
    ['nothing before the @', '@example.org'],
    ['nothing', ''],
    ['255 characters', `${'a'.repeat(243)}@example.org`],
    [
      '255 characters of punycode',
      `a@${'ä'.repeat(60)}.${'ä'.repeat(60)}.${'ä'.repeat(60)}.${'ä'.repeat(60)}.at`,
    ],
  ])('is not %s', (_, text) => expect(read(text)).toBeUndefined());

  test('is refused quickly, however long', () => {
    const start = performance.now();
    for (const part of ['a', 'a.', 'ä', 'a@', '@', 'xn--'])
      read(`${part.repeat(200_000)}@${part.repeat(200_000)}`);
    expect(performance.now() - start).toBeLessThan(1000);
  });

  test('is what it is once it has been made canonical', () => {
    fc.assert(
      fc.property(
        fc.tuple(fc.emailAddress(), fc.string({ unit: 'grapheme', maxLength: 12 })),
        ([email, noise]) => {
          for (const text of [email, `${email}${noise}`, `a@${noise}.org`]) {
            const once = read(text);
            if (once === undefined) continue;
            expect(canonicalEmail(once)).toBe(once);
            expect(once).toMatch(/^[\x21-\x7e]+$/);
            expect(once).toBe(once.toLowerCase());
          }
        },
      ),
    );
  });
});
