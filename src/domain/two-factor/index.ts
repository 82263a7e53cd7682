export { type SecondFactor, spendCode } from './code.ts';
export {
  confirmTwoFactor,
  disableTwoFactor,
  type Enrolment,
  enrolTwoFactor,
  renewRecoveryCodes,
} from './enrol.ts';
