import type { Transaction } from '../../db/client.ts';
import { DEFAULT_SETTINGS, type InstallationSettings } from '../../kernel/installation.ts';
import { type IfMatch, requireVersion } from '../../kernel/versions.ts';
import { record } from '../audit/index.ts';
import type { Deps } from '../deps.ts';
import type { Principal } from '../principal.ts';
import { type StoredSettings, withDefaults } from './read.ts';

type MapName = 'countryLevels' | 'minimumAges' | 'adultAges';

/** Omitted keeps. In a map only the named countries change, and null takes a country's override away. */
export type SettingsChanges = {
  [K in keyof InstallationSettings]?:
    | (K extends MapName
        ? { [country: string]: InstallationSettings[K][string] | null }
        : InstallationSettings[K])
    | undefined;
};

function merged<T>(before: Record<string, T>, changes: Record<string, T | null> = {}): Record<string, T> {
  const entries = Object.entries({ ...before, ...changes });
  return Object.fromEntries(entries.filter((entry): entry is [string, T] => entry[1] !== null));
}

/** The one row, held until the transaction ends; made when there is none yet. */
async function lockStored(tx: Transaction, now: Date): Promise<StoredSettings> {
  await tx`insert into settings (value, updated_at) values ('{}', ${now}) on conflict (id) do nothing`;
  const [row] = await tx<{ value: StoredSettings }[]>`select value from settings for update`;
  return row?.value ?? {};
}

const pick = (settings: InstallationSettings, names: string[]): StoredSettings =>
  Object.fromEntries(Object.entries(settings).filter(([name]) => names.includes(name)));

/** By which an ETag tells one state from another. */
export const SETTINGS_FIELDS = Object.keys(DEFAULT_SETTINGS);

/**
 * Changes rules of the installation for every process at once. The trail has the named ones before and after.
 *
 * @throws PRECONDITION_FAILED when they have changed (`ifMatch`)
 */
export function updateSettings(
  deps: Deps,
  principal: Principal,
  changes: SettingsChanges,
  ifMatch?: IfMatch,
): Promise<InstallationSettings> {
  return deps.db.transaction(async (tx) => {
    const now = deps.now();
    const stored = await lockStored(tx, now);
    const before = withDefaults(stored);
    requireVersion(ifMatch, SETTINGS_FIELDS, before);
    const after: InstallationSettings = {
      registration: changes.registration ?? before.registration,
      refuseDisposableEmail: changes.refuseDisposableEmail ?? before.refuseDisposableEmail,
      requireDateOfBirth: changes.requireDateOfBirth ?? before.requireDateOfBirth,
      defaultCountryLevel: changes.defaultCountryLevel ?? before.defaultCountryLevel,
      countryLevels: merged(before.countryLevels, changes.countryLevels),
      minimumAge: changes.minimumAge ?? before.minimumAge,
      minimumAges: merged(before.minimumAges, changes.minimumAges),
      adultAges: merged(before.adultAges, changes.adultAges),
      dns: changes.dns ?? before.dns,
      tunnels: changes.tunnels ?? before.tunnels,
    };
    const named = Object.entries(changes).flatMap(([name, value]) => (value === undefined ? [] : [name]));
    const value = pick(after, [...Object.keys(stored), ...named]); // what nobody has set follows the defaults
    await tx`update settings set value = ${tx.json(value)}, updated_at = ${now}`;
    await record(tx, principal, now, {
      organizationId: null,
      role: principal.platformRole,
      action: 'update',
      resourceType: 'settings',
      resourceId: 'installation',
      before: pick(before, named),
      after: pick(after, named),
    });
    return after;
  });
}
