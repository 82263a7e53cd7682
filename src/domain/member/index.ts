export { addMember } from './add.ts';
export { assignPermissions } from './assign-permissions.ts';
export { leaveOrganization } from './leave.ts';
export { listMembers } from './list.ts';
export { removeMember } from './remove.ts';
export { updateMemberRole } from './update-role.ts';
