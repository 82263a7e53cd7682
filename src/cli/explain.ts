import { ConfigError } from '../config.ts';
import { EmbeddedServerError } from '../db/embedded/index.ts';
import { NewerDatabaseError } from '../db/migrate.ts';
import { WallError } from '../db/wall.ts';
import { DomainError } from '../kernel/errors.ts';
import { InterruptedError } from './interrupt.ts';

const EXPECTED = [
  ...[ConfigError, EmbeddedServerError, NewerDatabaseError, WallError],
  ...[DomainError, InterruptedError],
];

/** Ends with the message alone for what an operator can mend, and with everything for what he cannot. */
export function explainAndExit(error: unknown): never {
  const isExpected =
    error instanceof Error && (EXPECTED.some((kind) => error instanceof kind) || isAddressError(error));
  process.stderr.write(
    `${isExpected ? error.message : error instanceof Error ? error.stack : String(error)}\n`,
  );
  process.exit(1);
}

/** The port is taken, the address is not ours, or a host has none: Node's message says so. */
const isAddressError = (error: Error): boolean =>
  'syscall' in error && (error.syscall === 'listen' || error.syscall === 'getaddrinfo');
