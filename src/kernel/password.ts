export const PASSWORD_MIN_LENGTH = 8;
export const PASSWORD_MAX_LENGTH = 128;

const CLASSES: readonly [RegExp, string][] = [
  [/\p{Lu}/u, 'an upper-case letter'],
  [/\p{Ll}/u, 'a lower-case letter'],
  [/\p{Nd}/u, 'a digit'],
  [/[^\p{L}\p{Nd}\s]/u, 'a symbol'],
];

/** What a new password must be, as one sentence. */
export const PASSWORD_RULES = `A password has ${PASSWORD_MIN_LENGTH} to ${PASSWORD_MAX_LENGTH} characters, among them ${CLASSES.map(([, name]) => name).join(', ')}.`;

/** What is wrong with a new password, as one sentence; undefined when nothing is. */
export function passwordProblem(password: string): string | undefined {
  const { length } = password;
  if (length < PASSWORD_MIN_LENGTH || length > PASSWORD_MAX_LENGTH) {
    return `A password has ${PASSWORD_MIN_LENGTH} to ${PASSWORD_MAX_LENGTH} characters.`;
  }
  const missing = CLASSES.filter(([pattern]) => !pattern.test(password)).map(([, name]) => name);
  return missing.length === 0 ? undefined : `The password needs ${missing.join(', ')}.`;
}
