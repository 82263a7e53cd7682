export { assignLicense, unassignLicense } from './assign.ts';
export { createLicense } from './create.ts';
export { deleteLicense } from './delete.ts';
export { LICENSE_FAULTS, listLicenses, oneLicense, organizationLicense, validateLicense } from './read.ts';
export { LICENSE_FIELDS, updateLicense } from './update.ts';
