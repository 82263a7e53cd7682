import type { Database } from '../db/client.ts';
import { IDLE_MS, MAX_AGE_MS } from '../domain/session/index.ts';

const WRITE_AT_MOST_EVERY_MS = 60_000;

/** Remembers which credentials were used and writes it down now and then, never in a request's way. */
export type Usage = {
  /** Notes that one was used at `now`, unless `written` says so already, to the minute. */
  seen(id: string, written: Date | null, now: Date): void;
  /** Writes everything noted since the last call, in one statement. */
  flush(): Promise<void>;
};

type Row = { id: string; at: string };

function createUsage(write: (rows: Row[]) => Promise<unknown>): Usage {
  let noted = new Map<string, Date>();
  return {
    seen(id, written, now) {
      if (written !== null && now.getTime() - written.getTime() < WRITE_AT_MOST_EVERY_MS) return;
      noted.set(id, now);
    },
    async flush() {
      if (noted.size === 0) return;
      const batch = noted;
      noted = new Map();
      try {
        await write([...batch].map(([id, at]) => ({ id, at: at.toISOString() })));
      } catch (error) {
        noted = new Map([...batch, ...noted]); // tried again at the next flush
        throw error;
      }
    },
  };
}

/**
 * When API keys were last used. One that is just being ended or changed is left to its next use: to wait for several
 * rows may end in a deadlock.
 */
export const createKeyUsage = (db: Database): Usage =>
  createUsage((rows) =>
    db.query(
      (sql) => sql`
        update api_keys k set last_used_at = v.at
        from (
          select k.id, v.at from jsonb_to_recordset(${sql.json(rows)}) as v(id uuid, at timestamptz)
          join api_keys k on k.id = v.id and (k.last_used_at is null or k.last_used_at < v.at)
          for no key update of k skip locked) v
        where k.id = v.id`,
    ),
  );

/**
 * When sessions were last used, written in the same way; use prolongs those that are to be remembered, up to their
 * greatest age.
 */
export const createSessionUsage = (db: Database): Usage =>
  createUsage((rows) =>
    db.query(
      (sql) => sql`
        update sessions s set last_seen_at = v.at, expires_at = case when s.remembered
          then greatest(s.expires_at, least(v.at + ${IDLE_MS} * interval '1 millisecond',
            s.created_at + ${MAX_AGE_MS} * interval '1 millisecond'))
          else s.expires_at end
        from (
          select s.id, v.at from jsonb_to_recordset(${sql.json(rows)}) as v(id uuid, at timestamptz)
          join sessions s on s.id = v.id and (s.last_seen_at is null or s.last_seen_at < v.at)
          for no key update of s skip locked) v
        where s.id = v.id`,
    ),
  );
