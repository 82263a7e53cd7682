export { addMember } from './add.ts';
export { assignPermissions } from './assign-permissions.ts';
export { leaveOrganization } from './leave.ts';
export { listMembers, type MemberUser } from './list.ts';
export { type MemberName, removeMember } from './remove.ts';
export { updateMemberRole } from './update-role.ts';
