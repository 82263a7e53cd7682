export { assignLicense, unassignLicense } from './assign.ts';
export { createLicense, type NewLicense } from './create.ts';
export { deleteLicense } from './delete.ts';
export {
  LICENSE_FAULTS,
  type LicenseFilter,
  listLicenses,
  oneLicense,
  organizationLicense,
  type Verdict,
  validateLicense,
} from './read.ts';
export type { License } from './row.ts';
export { LICENSE_FIELDS, type LicenseChanges, updateLicense } from './update.ts';
