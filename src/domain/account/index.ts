export { findPrincipal } from './find.ts';
export { promoteUser } from './promote.ts';
export { type MemberWithUser, oneUser, ownMember, type Profile } from './read.ts';
export { ensureRootAdmin, type Registration, registerAccount } from './register.ts';
