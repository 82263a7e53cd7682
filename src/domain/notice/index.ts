import { type MailText, readableMoment, renderMail } from '../../kernel/mail-text.ts';
import type { JobPayloads, Notice } from '../job/index.ts';
import type { Mail } from '../mail.ts';

const NOT_YOU = 'If this was not you, choose a new password at once and tell the operator of this service.';
/** Longer names of programs are cut: they come from whoever signed in. */
const MAX_PROGRAM_LENGTH = 200;

const placeOf = ({ ipAddress, userAgent }: Extract<Notice, { kind: 'signIn' }>): string =>
  `from ${ipAddress ?? 'an unknown address'} with ${userAgent?.slice(0, MAX_PROGRAM_LENGTH) ?? 'an unknown program'}`;

function textOf(notice: Notice): MailText {
  const when = readableMoment(new Date(notice.at));
  switch (notice.kind) {
    case 'signIn':
      return {
        subject: 'New sign-in to your account',
        paragraphs: [`Your account was signed in to at ${when}, ${placeOf(notice)}.`],
        note: NOT_YOU,
      };
    case 'passwordChanged':
      return {
        subject: 'Your password was changed',
        paragraphs: [
          `The password of your account was changed at ${when}. Wherever else you were signed in, you are signed out.`,
        ],
        note: NOT_YOU,
      };
    case 'emailChangeAsked':
      return {
        subject: 'Your e-mail address is about to change',
        paragraphs: [
          `At ${when} somebody, hopefully you, asked to use ${notice.newEmail} for your account instead of this address. It changes when that address is confirmed.`,
        ],
        note: NOT_YOU,
      };
    case 'emailChanged':
      return {
        subject: 'Your e-mail address was changed',
        paragraphs: [`Since ${when} your account uses ${notice.newEmail} instead of this address.`],
        note: NOT_YOU,
      };
    case 'twoFactorEnabled':
      return {
        subject: 'Two-factor authentication is on',
        paragraphs: [`Since ${when} signing in to your account needs a code from your authenticator app.`],
        note: NOT_YOU,
      };
    case 'twoFactorDisabled':
      return {
        subject: 'Two-factor authentication is off',
        paragraphs: [`Since ${when} your password alone is enough to sign in to your account.`],
        note: NOT_YOU,
      };
    case 'recoveryCodeUsed':
      return {
        subject: 'A recovery code was used',
        paragraphs: [
          `Your account was signed in to with a recovery code at ${when}. Codes left: ${notice.left}.`,
        ],
        note: NOT_YOU,
      };
    case 'suspended':
      return {
        subject: 'Your account is suspended',
        paragraphs: [
          `Your account was suspended at ${when}. Until the suspension is lifted you cannot sign in, and your API keys do not work.`,
          ...(notice.reason === null ? [] : [`Reason: ${notice.reason}`]),
        ],
        note: 'If you think that this is a mistake, ask the operator of this service.',
      };
    case 'unsuspended':
      return {
        subject: 'Your account can be used again',
        paragraphs: [
          `The suspension of your account was lifted at ${when}. You can sign in again, and your API keys work.`,
        ],
      };
    case 'deleted':
      return {
        subject: 'Your account was deleted',
        paragraphs: [
          `The account of this address was deleted at ${when}. Nobody can sign in to it any more.`,
        ],
        note: 'If you did not expect this, tell the operator of this service.',
      };
  }
}

/** The mail that tells an account's holder what happened. */
export const noticeMail = (mailId: string, { to, notice }: JobPayloads['mail.notice']): Mail => ({
  id: mailId,
  to,
  ...renderMail(textOf(notice)),
});
