export { askForLink, sendLink } from './ask.ts';
export { issueLink } from './issue.ts';
export { linkMail } from './mail.ts';
export { resetPassword, verifyEmail } from './use.ts';
