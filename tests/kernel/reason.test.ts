import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { reasonOf } from '../../src/kernel/reason.ts';

test('a host of which no address answers says so, although its error has no message', async () => {
  const addresses = [1, 2].map((last) => ({ address: `127.0.0.${last}`, family: 4 }));
  const socket = connect({
    host: 'host.example',
    port: 1,
    lookup: (_host, _options, done) => done(null, addresses),
  });
  const [error] = await once(socket, 'error');
  expect(error).toBeInstanceOf(AggregateError);
  expect(reasonOf(error)).toBe('ECONNREFUSED');
});

test('any other error says its message, and what is none its text', () => {
  expect(reasonOf(new Error(' It broke.\n'))).toBe('It broke.');
  expect(reasonOf(new RangeError())).toBe('RangeError');
  expect(reasonOf('broken')).toBe('broken');
});
