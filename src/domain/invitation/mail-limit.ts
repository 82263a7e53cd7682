import { type DomainError, tooManyRequests } from '../../kernel/errors.ts';
import type { RateLimit, RateLimiter } from '../deps.ts';

/** Whoever has the address did not ask for these mails. Each inviter is counted alone: none learns of others. */
const MAILS_TO_ADDRESS: RateLimit = { name: 'invitation.mails.address', points: 3, seconds: 900 };

/** Counts the mail of somebody's invitation to an address. @returns why it cannot be sent now, with the time to wait */
export async function mailRefusal(
  limiter: RateLimiter,
  inviterId: string,
  email: string,
): Promise<DomainError | undefined> {
  const { allowed, resetSeconds } = await limiter.consume(MAILS_TO_ADDRESS, `${inviterId} ${email}`);
  if (allowed) return undefined;
  return tooManyRequests(
    'address_invited_often',
    `You have sent this address ${MAILS_TO_ADDRESS.points} invitations a moment ago. Try again in ${resetSeconds} s.`,
    resetSeconds,
  );
}
