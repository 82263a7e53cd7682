import { ConfigError } from '../config.ts';
import { UnreachableError } from '../db/connect.ts';
import { hasCode } from '../db/embedded/error.ts';
import { EmbeddedServerError } from '../db/embedded/index.ts';
import { NewerDatabaseError } from '../db/migrate.ts';
import { UnsuitedDatabaseError } from '../db/suited.ts';
import { WallError } from '../db/wall.ts';
import { DomainError } from '../kernel/errors.ts';
import { InterruptedError } from './interrupt.ts';

const EXPECTED = [
  ...[ConfigError, EmbeddedServerError, NewerDatabaseError, UnreachableError, UnsuitedDatabaseError],
  ...[WallError, DomainError, InterruptedError],
];

/** Ends with the message alone for what an operator can mend, and with everything for what he cannot. */
export function explainAndExit(error: unknown): never {
  const isExpected =
    error instanceof Error && (EXPECTED.some((kind) => error instanceof kind) || isOfTheSystem(error));
  process.stderr.write(
    `${isExpected ? error.message : error instanceof Error ? error.stack : String(error)}\n`,
  );
  process.exit(1);
}

const OF_THE_DISK = ['EACCES', 'EDQUOT', 'ENOSPC', 'EROFS'];

/** The port is taken, the address is not ours, a host has none, or the disk takes nothing: Node's message says so. */
const isOfTheSystem = (error: Error): boolean =>
  hasCode(error, ...OF_THE_DISK) ||
  ('syscall' in error && (error.syscall === 'listen' || error.syscall === 'getaddrinfo'));
