import { z } from 'zod';
import { Id } from '../../kernel/schemas.ts';
import { canonicalUserCode, isUserCode } from '../../kernel/user-codes.ts';
import { TUNNEL_PROTOCOLS } from '../../kernel/vocabulary.ts';
import { Moment } from '../schemas.ts';

/* Inputs. */

export const UserCode = z
  .string()
  .max(64)
  .overwrite(canonicalUserCode)
  .refine(isUserCode, 'A user code is eight consonants, such as WDJB-MJHT.')
  .meta({ description: 'As the device shows it; case and dashes do not matter.', example: 'WDJB-MJHT' });
export const DeviceCode = z.string().regex(/^[\w-]{43}$/, 'This is not a device code.');
export const DeviceToken = z
  .string()
  .regex(/^tunnel_[\w-]{43}$/, 'This is not the token of a tunnel device.');
export const Protocol = z.enum(TUNNEL_PROTOCOLS);
export const Port = z.number().int().min(1).max(65_535);

/* Outputs. */

export const DeviceAuthorization = z
  .object({
    deviceCode: z.string().meta({ description: 'For tunnelDevice.poll. Shown this once.' }),
    userCode: z
      .string()
      .meta({ description: 'For a person to type at verificationUri.', example: 'WDJB-MJHT' }),
    verificationUri: z.string().meta({ example: 'https://panel.example.com/device' }),
    verificationUriComplete: z.string().meta({ description: 'The same with the user code, for a QR code.' }),
    expiresIn: z.number().int().meta({ description: 'Seconds.' }),
    interval: z.number().int().meta({ description: 'Seconds to wait between two polls.' }),
  })
  .meta({ id: 'DeviceAuthorization' });

export const TunnelRequest = z
  .object({
    deviceId: Id.meta({ description: 'The id that the device has once it has fetched its token.' }),
    name: z.string().meta({ description: 'What the device calls itself.' }),
    ipAddress: z.string().nullable().meta({ description: 'From where it asks.' }),
    createdAt: Moment,
    expiresAt: Moment,
  })
  .meta({ id: 'TunnelRequest' });

const device = {
  id: Id,
  userId: Id.nullable().meta({ description: 'Set where a user owns the device.' }),
  organizationId: Id.nullable().meta({ description: 'Set where an organization owns the device.' }),
  name: z.string(),
  ipAddress: z.string().nullable().meta({ description: 'From where it asked to be taken in.' }),
  lastSeenAt: Moment.nullable().meta({ description: 'Written at most once a minute.' }),
  createdAt: Moment,
};
export const TunnelDevice = z.object(device).meta({ id: 'TunnelDevice' });
export const EnrolledTunnelDevice = z
  .object({ ...device, token: z.string().meta({ description: 'Shown this once.' }) })
  .meta({ id: 'EnrolledTunnelDevice' });

export const TunnelAllocation = z
  .object({
    id: Id,
    deviceId: Id,
    userId: Id.nullable(),
    organizationId: Id.nullable(),
    host: z.string().meta({ example: 'tunnels.example.com' }),
    protocol: Protocol,
    publicPort: z.number().int().meta({ description: 'On the host, for anybody.' }),
    targetPort: z.number().int().meta({ description: 'On the device.' }),
    createdAt: Moment,
  })
  .meta({ id: 'TunnelAllocation' });
