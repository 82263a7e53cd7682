export { type SecondFactor, spendCode } from './code.ts';
export { confirmTwoFactor, disableTwoFactor, enrolTwoFactor, renewRecoveryCodes } from './enrol.ts';
