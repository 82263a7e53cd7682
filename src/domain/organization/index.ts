export {
  holdOrganization,
  inOrganization,
  placeOf,
  requireActive,
  requireActor,
  requireActorOf,
  requireMembership,
} from './actor.ts';
export { setOrganizationAvatar } from './avatar.ts';
export { setActive, setDefault } from './choose.ts';
export { createOrganization, foundOrganization } from './create.ts';
export { deleteOrganization, dropOrganization } from './delete.ts';
export { describeRunning, previewDeletion, runningColumns } from './delete-preview.ts';
export { checkHandle, claimZone, isPlatformName, lockName } from './handle.ts';
export { activeOrganization, listOrganizations, oneOrganization } from './read.ts';
export {
  customPermissions,
  customPermissionsOf,
  findRole,
  findRoles,
  notGrantable,
  requireGrantable,
  unknownRole,
} from './role.ts';
export type { OwnMembership } from './row.ts';
export { transferOwnership } from './transfer.ts';
export { ORGANIZATION_FIELDS, updateOrganization } from './update.ts';
