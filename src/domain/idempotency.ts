import { type Database, databaseWithin, type Transaction } from '../db/client.ts';
import { decryptText, encryptText } from '../kernel/encryption.ts';
import { DomainError, unavailable } from '../kernel/errors.ts';
import { keyedHash } from '../kernel/secrets.ts';
import type { Deps } from './deps.ts';
import { withSealing } from './sealing.ts';

/** How long an answer is kept. */
const KEPT_MS = 24 * 60 * 60_000;
/** Expired answers deleted with each new one: more than come in, so that they do not pile up. */
const DELETED_AT_ONCE = 10;

/** `scope` parts callers and procedures from one another; `content` is what was asked. */
export type KeyedRequest = { scope: string; key: string; content: string };

/** `body` is the text that was sent. */
export type Answer = { status: number; body: string };

const inFlight = () =>
  new DomainError(
    'CONFLICT',
    'idempotency_in_flight',
    'The first request with this Idempotency-Key is still under way.',
    { retryAfter: 1 },
  );

const reused = () =>
  new DomainError(
    'UNPROCESSABLE_CONTENT',
    'idempotency_key_reused',
    'This Idempotency-Key was used for another request. Make a new key.',
  );

/** One request's row, in one transaction or another. */
function answerOf({ rules, now }: Deps, { scope, key, content }: KeyedRequest) {
  const { secret } = rules;
  // Under the server's secret, as bodies carry passwords; each hash bound to the key, so that no two rows can be compared.
  const keyHash = keyedHash(secret, 'idempotency key', `${scope}\n${key}`);
  const requestHash = keyedHash(secret, `idempotent request ${keyHash}`, content);
  // Some answers show a secret for the only time. The database holds neither the server's secret nor the caller's key.
  const purpose = `idempotent answer ${key}`;
  const oldest = () => new Date(now().getTime() - KEPT_MS);

  return {
    /** @throws UNPROCESSABLE_CONTENT when the key was used for something else. */
    async read(db: Database): Promise<Answer | undefined> {
      const [row] = await db.query(
        (sql) => sql<{ requestHash: string; status: number; body: string }[]>`
          select request_hash, status, body from idempotency_answers
          where key_hash = ${keyHash} and created_at > ${oldest()}`,
      );
      if (row === undefined) return undefined;
      if (row.requestHash !== requestHash) throw reused();
      return { status: row.status, body: decryptText(secret, purpose, keyHash, row.body) };
    },

    /** The lock ends with the transaction, and with the process: a crash leaves nothing to wait for. */
    async lock(tx: Transaction): Promise<void> {
      const [row] = await tx<{ mine: boolean }[]>`
        select pg_try_advisory_xact_lock(hashtextextended(${`idempotency ${keyHash}`}, 0)) as mine`;
      if (row?.mine !== true) throw inFlight();
    },

    async write(tx: Transaction, { status, body }: Answer): Promise<void> {
      const row = {
        keyHash,
        requestHash,
        status,
        body: encryptText(secret, purpose, keyHash, body),
        createdAt: now(),
      };
      await tx`
        insert into idempotency_answers ${tx(row)}
        on conflict (key_hash) do update set request_hash = excluded.request_hash, status = excluded.status,
          body = excluded.body, created_at = excluded.created_at`;
      await tx`
        with old as materialized (
          select key_hash from idempotency_answers where created_at <= ${oldest()}
          order by created_at limit ${DELETED_AT_ONCE} for update skip locked)
        delete from idempotency_answers a using old where a.key_hash = old.key_hash`;
    },
  };
}

type Outcome = { answer: Answer } | { error: unknown };

/** A transaction that begins when it is first needed, and ends when the outcome is known. */
function deferredTransaction(
  { db, rules }: Deps,
  begin: (tx: Transaction) => Promise<void>,
  write: (tx: Transaction, answer: Answer) => Promise<void>,
) {
  let settle: (outcome: Outcome) => void = () => {};
  const outcome = new Promise<Outcome>((resolve) => {
    settle = resolve;
  });
  let opened: Promise<Database> | undefined;
  let ended: Promise<void> = Promise.resolve();

  const open = () =>
    new Promise<Database>((resolve, reject) => {
      let isFirst = true;
      ended = db.transaction(async (tx) => {
        // A commit that failed is not tried again here: what led up to it ran against the first transaction.
        if (!isFirst) throw unavailable('transaction_lost', 'The database could not do this now. Try again.');
        isFirst = false;
        await begin(tx);
        resolve(withSealing(databaseWithin(tx), rules.secret));
        const result = await outcome;
        if ('error' in result) throw result.error;
        await write(tx, result.answer);
      });
      ended.catch(reject);
    });

  const within: Database = {
    query: (fn) => (opened === undefined ? db.query(fn) : opened.then((inner) => inner.query(fn))),
    transaction(fn) {
      opened ??= open();
      return opened.then((inner) => inner.transaction(fn));
    },
  };
  return {
    within,
    isOpen: () => opened !== undefined,
    /** Commits with the answer. */
    async commit(answer: Answer): Promise<void> {
      settle({ answer });
      await ended;
    },
    /** Resolves once everything is undone. */
    async rollBack(error: unknown): Promise<void> {
      settle({ error });
      await ended.catch(() => {}); // it ends with the very error, or was lost before
    },
  };
}

/**
 * Runs a request once for each key: whoever repeats it within 24 hours is given the first answer.
 *
 * Everything that `run` writes through the `deps` it is given, and the answer itself, are one transaction. So there is
 * no moment at which a crash could leave the change without its answer, or the answer without its change; and the
 * mark of a request under way is a lock of that transaction, which a crash lets go. The transaction begins with the
 * first one that `run` begins, so that no connection is held while a password is hashed.
 *
 * A refusal undoes what was written. `refusalOf` tells which refusals are an answer for good; what it returns undefined
 * for is thrown and may be tried again with the same key.
 *
 * @throws UNPROCESSABLE_CONTENT for a key that was used for something else; CONFLICT while the first request runs.
 */
export async function answerOnce(
  deps: Deps,
  request: KeyedRequest,
  run: (deps: Deps) => Promise<Answer>,
  refusalOf: (error: unknown) => Answer | undefined,
): Promise<{ answer: Answer; replayed: boolean }> {
  const row = answerOf(deps, request);
  const earlier = await row.read(deps.db);
  if (earlier !== undefined) return { answer: earlier, replayed: true };

  let stop: { answer: Answer } | { error: unknown } | undefined;
  const transaction = deferredTransaction(
    deps,
    async (tx) => {
      try {
        await row.lock(tx);
        const answer = await row.read(databaseWithin(tx)); // the lock is had, so this sees what its last holder wrote
        if (answer === undefined) return;
        stop = { answer };
      } catch (error) {
        stop = { error };
      }
      throw inFlight(); // ends `run`; what is answered is in `stop`
    },
    row.write,
  );

  /** Keeps an answer that nothing was written for. Of two at once the first one counts. */
  const keep = (answer: Answer) =>
    deps.db.transaction(async (tx) => {
      await row.lock(tx);
      const first = await row.read(databaseWithin(tx));
      if (first !== undefined) return { answer: first, replayed: true };
      await row.write(tx, answer);
      return { answer, replayed: false };
    });

  let answer: Answer;
  try {
    answer = await run({ ...deps, db: transaction.within });
  } catch (error) {
    await transaction.rollBack(error);
    if (stop !== undefined) {
      if ('error' in stop) throw stop.error;
      return { answer: stop.answer, replayed: true };
    }
    const refusal = refusalOf(error);
    if (refusal === undefined) throw error;
    return keep(refusal);
  }
  if (!transaction.isOpen()) return keep(answer);
  await transaction.commit(answer);
  return { answer, replayed: false };
}
