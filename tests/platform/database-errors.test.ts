import { expect, test } from 'vitest';
import { translateError } from '../../src/db/errors.ts';

test.each(['ECONNREFUSED', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'ETIMEDOUT'])(
  'a connection that ends with %s is a database that is away',
  (code) => {
    const error = Object.assign(new Error('connect'), { code });
    expect(translateError(error)).toMatchObject({
      code: 'SERVICE_UNAVAILABLE',
      reason: 'database_unavailable',
    });
  },
);

test('what is not known is a fault of ours', () => {
  const error = Object.assign(new Error('open'), { code: 'EMFILE' });
  expect(translateError(error)).toBe(error);
});
