export { getSettings, readSettings, type StoredSettings, settingsFor, withDefaults } from './read.ts';
export { SETTINGS_FIELDS, type SettingsChanges, updateSettings } from './update.ts';
