export { inOrganization, requireActive, requireActor, requireActorOf } from './actor.ts';
export { setActive, setDefault } from './choose.ts';
export { createOrganization, foundOrganization } from './create.ts';
export { deleteOrganization } from './delete.ts';
export { checkHandle } from './handle.ts';
export { activeOrganization, listOrganizations, oneOrganization } from './read.ts';
export type { Organization, OwnMembership } from './row.ts';
export { updateOrganization } from './update.ts';
