/** Words that the database, the rules and the wire share. */
export const INVITATION_STATUSES = ['pending', 'accepted', 'rejected', 'canceled', 'expired'] as const;
export const API_KEY_SCOPES = ['organization', 'user'] as const;
