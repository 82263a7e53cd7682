import { newId } from '../../kernel/ids.ts';
import { hashSecret, newSecret } from '../../kernel/secrets.ts';
import { newUserCode, shownUserCode } from '../../kernel/user-codes.ts';
import type { Deps } from '../deps.ts';
import type { Origin } from '../principal.ts';
import { userCodeHash } from './row.ts';

/** How long a device waits for a person. */
const LIFETIME_S = 600;
const INTERVAL_S = 5;
/** Expired ones deleted with each new one: more than come in, so that they do not pile up. */
const DELETED_AT_ONCE = 10;

/** As in RFC 8628, section 3.2. */
export type DeviceAuthorization = {
  deviceCode: string;
  userCode: string;
  verificationUri: string;
  verificationUriComplete: string;
  /** Seconds. */
  expiresIn: number;
  /** Seconds between two polls, at least. */
  interval: number;
};

/**
 * Lets a device ask to be taken in, under the name that it gives itself. The answer is the only place where its codes
 * appear.
 */
export async function startEnrolment(deps: Deps, origin: Origin, name: string): Promise<DeviceAuthorization> {
  const now = deps.now();
  const [deviceCode, code] = [newSecret(), newUserCode()];
  await deps.db.transaction(async (tx) => {
    await tx`
      with old as materialized (
        select id from tunnel_enrolments where expires_at <= ${now}
        order by expires_at limit ${DELETED_AT_ONCE} for update skip locked)
      delete from tunnel_enrolments e using old where e.id = old.id`;
    await tx`insert into tunnel_enrolments ${tx({
      id: newId(),
      deviceCodeHash: hashSecret(deviceCode),
      userCodeHash: userCodeHash(deps.rules, code),
      name,
      ipAddress: origin.ipAddress,
      pollInterval: INTERVAL_S,
      expiresAt: new Date(now.getTime() + LIFETIME_S * 1000),
      createdAt: now,
    })}`;
  });
  const userCode = shownUserCode(code);
  const verificationUri = `${deps.rules.publicUrl}/device`;
  return {
    deviceCode,
    userCode,
    verificationUri,
    verificationUriComplete: `${verificationUri}?user_code=${userCode}`,
    expiresIn: LIFETIME_S,
    interval: INTERVAL_S,
  };
}
