import type { Mail } from '../../domain/mail.ts';

/** What must not be repeated of a mail: a server may quote the link that it dislikes. */
export const tokensOf = ({ text }: Mail): string[] =>
  [...text.matchAll(/[?&]token=([^\s&]+)/g)].map(([, token = '']) => token);

/** `text`, in which the secrets are dots. */
export const without = (secrets: readonly string[], text: string): string =>
  secrets.filter((secret) => secret !== '').reduce((rest, secret) => rest.replaceAll(secret, '…'), text);
