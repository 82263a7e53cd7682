export { CHALLENGE_SECONDS } from './challenge.ts';
export {
  type Credentials,
  challengedUser,
  giveSecondFactor,
  isKnownClient,
  type SignedIn,
  signIn,
  signInRegistered,
} from './sign-in.ts';
export type { SignedInUser } from './user.ts';
