import { deriveToken } from '../../kernel/secrets.ts';
import type { Rules } from '../deps.ts';

/** The token that opens an invitation. Made again when its mail is sent; the database holds only its hash. */
export const invitationToken = (rules: Rules, invitationId: string, version: number): string =>
  deriveToken(rules.secret, 'invitation', invitationId, version);

/** Where the holder of a token sees what he is invited to. */
export const invitationUrl = (rules: Rules, token: string): string =>
  `${rules.publicUrl}/invitation?token=${token}`;
