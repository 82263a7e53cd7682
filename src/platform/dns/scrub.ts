const MAX_LENGTH = 300;

/** What a provider says, as it may be shown: one line, without the credential that it may have repeated. */
export const scrub = (text: string, credential: string): string =>
  text
    .replaceAll(credential, '…')
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .slice(0, MAX_LENGTH);
