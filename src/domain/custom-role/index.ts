export { createCustomRole } from './create.ts';
export { listCustomRoles, listRoleHolders, type RoleHolder } from './read.ts';
export { removeCustomRole } from './remove.ts';
export type { CustomRole } from './row.ts';
export { updateCustomRole } from './update.ts';
