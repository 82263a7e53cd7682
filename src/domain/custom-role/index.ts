export { createCustomRole } from './create.ts';
export { listCustomRoles, listRoleHolders } from './read.ts';
export { removeCustomRole } from './remove.ts';
export { updateCustomRole } from './update.ts';
