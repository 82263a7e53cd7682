import { expect, test } from 'vitest';
import { isDisposableEmail } from '../../src/kernel/disposable-email.ts';

test.each([
  ['a@mailinator.com', true],
  ['a@MAILINATOR.com', true],
  ['a@any.thing.mailinator.com', true],
  ['a@my-mailinator.com', false],
  ['a@mailinator.com.example.org', false],
  ['mailinator.com@example.org', false],
  ['a@gmail.com', false],
])('%s is throw-away: %s', (email, expected) => expect(isDisposableEmail(email)).toBe(expected));
