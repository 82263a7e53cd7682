export { getSettings, readSettings, type StoredSettings, settingsFor, withDefaults } from './read.ts';
export { SETTINGS_FIELDS, updateSettings } from './update.ts';
