import type { invitations } from '../../db/schema/index.ts';

/** How long a link opens an invitation. */
export const LIFETIME_MS = 48 * 60 * 60 * 1000;

export type Invitation = Omit<typeof invitations.$inferSelect, 'customRole' | 'tokenHash' | 'tokenVersion'>;
