import type { Database } from '../db/client.ts';
import { tooManyRequests, unauthorized } from '../kernel/errors.ts';

/**
 * Takes one request from a key that has a rate limit or a number of requests left. One guarded statement, so that
 * callers at once never get more than there is; on refusal a second one finds the reason. Everything is read from the
 * locked row: `k` is the row as it was before the wait, and would refuse callers who come together at a refill.
 *
 * @throws UNAUTHORIZED when the key is exhausted, TOO_MANY_REQUESTS at its rate limit.
 */
export async function chargeKey(db: Database, keyId: string, now: Date): Promise<void> {
  const charged = await db.query(
    (sql) => sql`
      update api_keys k set
        window_started_at = case when due.new_window then ${now} else due.window_started_at end,
        window_count = case when due.rate_limit_max is null then due.window_count
          when due.new_window then 1 else due.window_count + 1 end,
        remaining = case when due.refill then due.refill_amount else due.remaining end - 1,
        last_refill_at = case when due.refill then ${now} else due.last_refill_at end
      from (
        select id, window_started_at, window_count, rate_limit_max, remaining, refill_amount, last_refill_at,
          window_started_at is null
            or window_started_at + rate_limit_time_window * interval '1 millisecond' <= ${now} as new_window,
          coalesce(last_refill_at, created_at) + refill_interval * interval '1 millisecond' <= ${now} as refill
        from api_keys where id = ${keyId} for no key update) due
      where k.id = due.id
        and (due.rate_limit_max is null or due.new_window or due.window_count < due.rate_limit_max)
        and (due.remaining is null or case when due.refill then due.refill_amount else due.remaining end > 0)
      returning k.id`,
  );
  if (charged.length > 0) return;

  const [row] = await db.query(
    (sql) => sql<{ exhausted: boolean; windowEnd: Date | null }[]>`
      select coalesce(remaining <= 0, false) and (refill_interval is null
          or coalesce(last_refill_at, created_at) + refill_interval * interval '1 millisecond' > ${now}) as exhausted,
        window_started_at + rate_limit_time_window * interval '1 millisecond' as window_end
      from api_keys where id = ${keyId}`,
  );
  if (row === undefined) throw unauthorized('api_key_invalid', 'This API key is unknown or was revoked.');
  if (row.exhausted) throw unauthorized('api_key_exhausted', 'This API key has no requests left.');
  const seconds = row.windowEnd === null ? 1 : Math.ceil((row.windowEnd.getTime() - now.getTime()) / 1000);
  throw tooManyRequests('api_key_rate_limited', 'This API key is at its rate limit.', Math.max(1, seconds));
}
