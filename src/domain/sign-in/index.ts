export { CHALLENGE_SECONDS } from './challenge.ts';
export {
  challengedUser,
  giveSecondFactor,
  isKnownClient,
  type SignedIn,
  signIn,
  signInRegistered,
} from './sign-in.ts';
