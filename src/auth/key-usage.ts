import type { Database } from '../db/client.ts';

const WRITE_AT_MOST_EVERY_MS = 60_000;

/** Remembers which keys were used and writes it down now and then, never in a request's way. */
export type KeyUsage = {
  /** Notes that a key was used at `now`, unless `written` says so already, to the minute. */
  seen(keyId: string, written: Date | null, now: Date): void;
  /** Writes everything noted since the last call, in one statement. */
  flush(): Promise<void>;
};

export function createKeyUsage(db: Database): KeyUsage {
  let noted = new Map<string, Date>();
  return {
    seen(keyId, written, now) {
      if (written !== null && now.getTime() - written.getTime() < WRITE_AT_MOST_EVERY_MS) return;
      noted.set(keyId, now);
    },
    async flush() {
      if (noted.size === 0) return;
      const batch = noted;
      noted = new Map();
      const rows = [...batch].map(([id, at]) => ({ id, at: at.toISOString() }));
      try {
        await db.query(
          (sql) => sql`
            update api_keys k set last_used_at = v.at
            from jsonb_to_recordset(${sql.json(rows)}) as v(id uuid, at timestamptz)
            where k.id = v.id and (k.last_used_at is null or k.last_used_at < v.at)`,
        );
      } catch (error) {
        noted = new Map([...batch, ...noted]); // tried again at the next flush
        throw error;
      }
    },
  };
}
