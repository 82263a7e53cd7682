import type { Sql } from '../../db/client.ts';
import { DEFAULT_SETTINGS, type InstallationSettings } from '../../kernel/installation.ts';
import type { Deps } from '../deps.ts';
import type { Principal } from '../principal.ts';

export type StoredSettings = Partial<InstallationSettings>;

/** Only what somebody has set is stored. */
export const withDefaults = (stored: StoredSettings | undefined): InstallationSettings => ({
  ...DEFAULT_SETTINGS,
  ...stored,
});

/**
 * The rules that hold now, in one statement. They are read wherever they are needed and kept nowhere: a rule that one
 * process has changed holds in all of them at once.
 */
export async function readSettings(sql: Sql): Promise<InstallationSettings> {
  const [row] = await sql<{ value: StoredSettings }[]>`select value from settings`;
  return withDefaults(row?.value);
}

export const getSettings = (deps: Deps): Promise<InstallationSettings> => deps.db.query(readSettings);

/** The same for a call, where they may have been read with its caller. */
export const settingsFor = async (deps: Deps, principal: Principal | null): Promise<InstallationSettings> =>
  principal?.settings ?? (await getSettings(deps));
