import { z } from 'zod';
import { decryptText, encryptText } from '../../kernel/encryption.ts';
import { unauthorized } from '../../kernel/errors.ts';
import { hashSecret } from '../../kernel/secrets.ts';
import type { Deps } from '../deps.ts';
import type { SigningIn } from './user.ts';

/** How long a second factor may be given after the password. */
export const CHALLENGE_SECONDS = 600;

/** `password` is a digest of the stored hash: the challenge dies with the password that was given. */
const Challenge = z.object({
  userId: z.string(),
  password: z.string(),
  remembered: z.boolean(),
  expiresAt: z.number(),
});
type Challenge = z.infer<typeof Challenge>;

const PURPOSE = 'sign-in challenge';

/** Says that the password was right, to be sent back with a code. Sealed: who reads it learns nothing. */
export function sealChallenge(deps: Deps, user: SigningIn, remembered: boolean): string {
  const challenge: Challenge = {
    userId: user.id,
    password: hashSecret(user.password),
    remembered,
    expiresAt: deps.now().getTime() + CHALLENGE_SECONDS * 1000,
  };
  return encryptText(deps.rules.secret, PURPOSE, '', JSON.stringify(challenge));
}

const invalid = (cause?: unknown) => {
  const error = unauthorized('two_factor_expired', 'Sign in with your password first.');
  if (cause !== undefined) error.cause = cause;
  return error;
};

/** @throws UNAUTHORIZED for one that is not ours or too old. */
export function openChallenge(deps: Deps, sealed: string | undefined): Challenge {
  if (sealed === undefined) throw invalid();
  let challenge: Challenge;
  try {
    challenge = Challenge.parse(JSON.parse(decryptText(deps.rules.secret, PURPOSE, '', sealed)));
  } catch (error) {
    throw invalid(error);
  }
  if (challenge.expiresAt <= deps.now().getTime()) throw invalid();
  return challenge;
}

export const isOfPassword = (challenge: Challenge, user: SigningIn): boolean =>
  challenge.password === hashSecret(user.password);
