/** Names of fields whose text is nobody's business, wherever they stand. */
const SECRET = /password|passphrase|secret|token|hash|private_?key|^key$|recovery_?codes?|^otp|totp/i;

const REDACTED = '[secret]';

/** Takes secrets out of what the trail is told, by the names of their fields; that they changed may be seen. */
export function redact(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(redact);
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      SECRET.test(name) && (typeof inner === 'string' || typeof inner === 'object') && inner !== null
        ? REDACTED
        : redact(inner),
    ]),
  );
}
