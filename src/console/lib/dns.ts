import { canonicalContent, type RecordType } from '../../kernel/dns/content.ts';
import { qualifyIn, recordName } from '../../kernel/dns/names.ts';
import { DomainError } from '../../kernel/errors.ts';

/** The service's own rules, asked while somebody types. */

const problemOf = (check: () => unknown): string | undefined => {
  try {
    check();
    return undefined;
  } catch (error) {
    if (error instanceof DomainError) return error.message;
    throw error;
  }
};

/** What is wrong with a record's name; undefined when nothing is. */
export const nameProblem = (text: string, zone: string): string | undefined =>
  text === '' ? undefined : problemOf(() => recordName(text, zone));

/** What is wrong with a record's content; undefined when nothing is. */
export const contentProblem = (type: RecordType, text: string, zone: string): string | undefined =>
  text === '' ? undefined : problemOf(() => canonicalContent(type, text, qualifyIn(zone)));
