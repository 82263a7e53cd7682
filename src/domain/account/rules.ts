import { ageOn, minimumAge } from '../../kernel/ages.ts';
import { isDisposableEmail } from '../../kernel/disposable-email.ts';
import { badRequest, forbidden, switchedOff } from '../../kernel/errors.ts';
import {
  type InstallationSettings,
  isOpen,
  requiresCountry,
  requiresDateOfBirth,
} from '../../kernel/installation.ts';

/** What the installation's rules look at. */
export type Applicant = { email: string; dateOfBirth: string | null; country: string | null };

/** @throws BAD_REQUEST for a disposable address where the installation takes none. */
export function requireLastingEmail(settings: InstallationSettings, email: string): void {
  if (settings.refuseDisposableEmail && isDisposableEmail(email)) {
    throw badRequest('email', 'disposable_email', 'Use an address that is not of a throw-away mail service.');
  }
}

/**
 * Whether somebody may make an account for himself.
 *
 * @throws SERVICE_UNAVAILABLE while registration is off, FORBIDDEN for a closed country, BAD_REQUEST for a disposable
 *   address, a country or date of birth that a rule needs, and an age below the minimum.
 */
export function requireAdmission(settings: InstallationSettings, applicant: Applicant, now: Date): void {
  const { email, dateOfBirth, country } = applicant;
  if (!settings.registration) {
    throw switchedOff('registration_off', 'This installation takes no new accounts.');
  }
  requireLastingEmail(settings, email);
  if (country === null && requiresCountry(settings)) {
    throw badRequest('billingCountry', 'country_required', 'Say in which country you live.');
  }
  if (country !== null && !isOpen(settings, country)) {
    throw forbidden('country_closed', 'Accounts cannot be made from this country.');
  }
  if (dateOfBirth === null && requiresDateOfBirth(settings, country)) {
    throw badRequest('dateOfBirth', 'date_of_birth_required', 'Say when you were born.');
  }
  const minimum = minimumAge(country, settings);
  if (dateOfBirth !== null && ageOn(dateOfBirth, now) < minimum) {
    throw badRequest('dateOfBirth', 'too_young', `An account can be had from the age of ${minimum}.`);
  }
}
