import { describe, expect, test } from 'vitest';
import { Name, NamePart } from '../../src/kernel/schemas.ts';

describe('a name', () => {
  test.each(['A', '7', '!', '€', '🦊', '🇦🇹', '王', 'é', 'e\u0301', 'नि', 'a\u200db', '\u200bA', '\u115f가'])(
    '%s is taken',
    (text) => {
      expect(Name.parse(text)).toBe(text);
    },
  );

  test.each([
    ['a space of no width', '\u200b'],
    ['joiners', '\u200c\u200d\u2060'],
    ['marks of direction', '\u200e\u202e'],
    ['an accent on nothing', '\u0301'],
    ['variation selectors', '\ufe0f'],
    ['soft hyphens', '\u00ad\u00ad'],
    ['tags', '\u{e0041}'],
    ['a Hangul filler, which is a letter', '\u3164'],
    ['a Braille cell without dots, which is a symbol', '\u2800'],
    ['private use, of which no font knows', '\ue000'],
  ])('is not %s alone', (_, text) => {
    for (const schema of [Name, NamePart])
      expect(schema.safeParse(text).error?.issues.map(({ message }) => message)).toEqual([
        'This needs a character that can be seen.',
      ]);
  });

  test('is not empty, but a part of one may be', () => {
    expect(Name.safeParse(' ').error?.issues).toHaveLength(1);
    expect(NamePart.parse(' ')).toBe('');
  });
});
