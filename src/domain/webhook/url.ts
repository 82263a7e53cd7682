import { isIP } from 'node:net';
import { badRequest } from '../../kernel/errors.ts';
import { isPublicAddress, isWithinNetworks } from '../../kernel/networks.ts';
import type { Rules } from '../deps.ts';

export const MAX_URL_LENGTH = 2048;
const FIRST_OPEN_PORT = 1024;

const LOCAL = /(^|\.)(localhost|local|internal)$/;

/**
 * The normal form of an address that a webhook may have. What can be told without asking a name server is told here;
 * the addresses that a name stands for are checked whenever something is sent.
 *
 * @throws BAD_REQUEST
 */
export function checkUrl({ webhooks }: Rules, text: string): string {
  const refuse = (reason: string, message: string) => badRequest('url', reason, message);
  if (!URL.canParse(text)) throw refuse('url_invalid', 'This is not a URL.');
  const url = new URL(text);
  if (url.href.length > MAX_URL_LENGTH) throw refuse('url_too_long', 'The URL is too long.');
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && webhooks.allowHttp)) {
    throw refuse('url_not_https', 'The URL must begin with https://.');
  }
  if (url.username !== '' || url.password !== '') {
    throw refuse('url_with_credentials', 'The URL must not hold a user name or password.');
  }
  if (text.includes('#')) throw refuse('url_with_fragment', 'The URL must not have a fragment.');
  if (url.port !== '' && url.port !== '80' && url.port !== '443' && Number(url.port) < FIRST_OPEN_PORT) {
    throw refuse('url_port', 'The port must be 80, 443, or 1024 and above.');
  }
  const host = url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  const isHidden =
    isIP(host) === 0
      ? LOCAL.test(host) && webhooks.allowedNetworks.length === 0
      : !isPublicAddress(host) && !isWithinNetworks(host, webhooks.allowedNetworks);
  if (isHidden) throw refuse('url_not_public', 'The URL must lead to a public address.');
  return url.href;
}
