export { updateMemberRole } from './update-role.ts';
