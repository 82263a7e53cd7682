export { acceptInvitation, type InvitationKey, joinByToken, rejectInvitation } from './answer.ts';
export { invitationByToken } from './by-token.ts';
export type { Invitation } from './invitation.ts';
export { inviteMember, inviteMembers } from './invite.ts';
export { invitationMail } from './mail.ts';
export type { Wanted } from './open.ts';
export {
  listInvitations,
  myInvitations,
  type OpenInvitation,
  previewInvitation,
  sentInvitations,
} from './read.ts';
export { removeInvitation } from './remove.ts';
export { invitationLink, resendInvitation, sendInvitation } from './resend.ts';
