import { expect, test } from 'vitest';
import { passwordProblem } from '../../src/kernel/password.ts';

test.each(['Correct-horse-1', 'aA1!aA1!', `Aa1!${'x'.repeat(124)}`, 'Ünïcode-9', 'Паролъ-7x'])(
  '%s will do',
  (password) => expect(passwordProblem(password)).toBeUndefined(),
);

test.each([
  ['', /8 to 128/],
  ['aA1!aA1', /8 to 128/],
  [`Aa1!${'x'.repeat(125)}`, /8 to 128/],
  ['correct-horse-1', /upper-case/],
  ['CORRECT-HORSE-1', /lower-case/],
  ['Correct-horse-x', /digit/],
  ['Correcthorse1', /symbol/],
  ['Correct horse 1', /symbol/], // a space is none
  ['________', /upper-case letter, a lower-case letter, a digit/],
])('%j is refused: %s', (password, problem) => expect(passwordProblem(password)).toMatch(problem));
