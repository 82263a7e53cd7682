import { z } from 'zod';
import { settingsFor } from '../../domain/settings/index.ts';
import { switchedOff } from '../../kernel/errors.ts';
import type { Permission } from '../../kernel/permissions.ts';
import { Id } from '../../kernel/schemas.ts';
import { organizationProcedure } from '../trpc.ts';

/** A member with this permission, while DNS is switched on: who may not do it anyway is told that first. */
export const dnsProcedure = (permission: Permission) =>
  organizationProcedure(permission)
    .meta({ asksSettings: true })
    .use(async ({ ctx, next }) => {
      const { dns } = await settingsFor(ctx.deps, ctx.principal);
      if (!dns) throw switchedOff('dns_off', 'DNS is switched off here.');
      return next();
    });

export const ZoneRef = z.object({ zoneId: Id });

export const ZONE_CHANGES = { name: 'dnsZone.changes', points: 6, seconds: 60 };
export const RECORD_CHANGES = { name: 'dnsRecord.changes', points: 20, seconds: 60 };
/** Each asks the provider. */
export const PLANS = { name: 'dnsZone.plans', points: 20, seconds: 60 };
/** Each has all of a zone in memory. */
export const EXPORTS = { name: 'dnsZone.exports', points: 20, seconds: 60 };
