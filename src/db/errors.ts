import postgres from 'postgres';
import { conflict, DomainError, unavailable } from '../kernel/errors.ts';

/** Codes that postgres.js and Node give to a connection that could not be had or was lost. */
const CONNECTION_LOST = new Set([
  'CONNECTION_CLOSED',
  'CONNECTION_ENDED',
  'CONNECTION_DESTROYED',
  'CONNECT_TIMEOUT',
  'EAI_AGAIN',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
]);

const busy = (reason: string, cause: unknown) =>
  unavailable(reason, 'The database could not do this now. Try again.', cause);

/** PostgreSQL quotes rows in `detail` and values in `where`: a password's hash may be among them. */
function withoutValues(error: Partial<postgres.PostgresError>): void {
  delete error.detail;
  delete error.where;
}

/**
 * Gives a database error its meaning for the caller. The SQLSTATE codes are those of PostgreSQL's appendix A;
 * anything not listed is a fault of ours and is returned as it came.
 */
export function translateError(error: unknown): unknown {
  if (error instanceof DomainError) return error;
  if (error instanceof postgres.PostgresError) {
    withoutValues(error);
    switch (error.code) {
      case '23505': // unique_violation
        return conflict('already_exists', 'Something with these values exists already.');
      case '23503': // foreign_key_violation
        return conflict('reference_gone', 'Something that this refers to has just been removed.');
      case '22P02': // invalid_text_representation
      case '22021': // character_not_in_repertoire
        return new DomainError('BAD_REQUEST', 'invalid_value', 'A value has the wrong form.', {
          cause: error,
        });
      case '40001':
        return busy('serialization_failure', error);
      case '40P01':
        return busy('deadlock', error);
      case '55P03': // lock_not_available
      case '57014': // query_canceled, by statement_timeout
        return busy('database_timeout', error);
      case '25P03': // idle_in_transaction_session_timeout
      case '28P01': // invalid_password: the server's own, so a matter of set-up
      case '3D000': // invalid_catalog_name: the database is gone
      case '55000': // object_not_in_prerequisite_state: it takes no connections
      case '58030': // io_error
      case '57P01': // admin_shutdown
      case '57P02': // crash_shutdown
      case '57P03': // cannot_connect_now
        return busy('database_unavailable', error);
      case '0A000': // feature_not_supported: also a prepared statement whose columns a migration has changed
        return error.routine === 'RevalidateCachedQuery' ? busy('plan_outdated', error) : error;
      default:
        // Connection exceptions and insufficient resources.
        if (/^(?:08|53)/.test(error.code)) return busy('database_unavailable', error);
        return error;
    }
  }
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return CONNECTION_LOST.has(code) ? busy('database_unavailable', error) : error;
}
