import { disposableEmailBlocklistSet } from 'disposable-email-domains-js';

const DOMAINS: ReadonlySet<string> = disposableEmailBlocklistSet();

/** Whether the address is at a throw-away mail service, or at a name below one: those take mail for any name there. */
export function isDisposableEmail(email: string): boolean {
  const labels = email
    .slice(email.lastIndexOf('@') + 1)
    .toLowerCase()
    .split('.');
  return labels.some((_, index) => DOMAINS.has(labels.slice(index).join('.')));
}
