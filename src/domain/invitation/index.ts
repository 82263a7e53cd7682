export { acceptInvitation, type InvitationKey, joinByToken, rejectInvitation } from './answer.ts';
export { type Invitation, inviteMember } from './invite.ts';
export { invitationMail } from './mail.ts';
export { listInvitations, myInvitations, previewInvitation } from './read.ts';
export { removeInvitation } from './remove.ts';
