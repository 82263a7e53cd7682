/** Words that the database, the rules and the wire share. */
export const INVITATION_STATUSES = ['pending', 'accepted', 'rejected', 'canceled', 'expired'] as const;
export const API_KEY_SCOPES = ['organization', 'user'] as const;
export const EMAIL_TOKEN_PURPOSES = ['verify', 'reset', 'change'] as const;
export const THEMES = ['light', 'dark', 'system'] as const;

/** What people choose for the panel. */
export type UserSettings = {
  theme?: (typeof THEMES)[number];
  /** BCP 47, such as de-AT. */
  locale?: string;
  /** IANA name, such as Europe/Vienna. */
  timeZone?: string;
};
export const DELIVERY_STATUSES = ['pending', 'delivered', 'failed'] as const;
/** `gone`: the receiver answered 410. `failing`: it has failed for days. */
export const WEBHOOK_DISABLED_REASONS = ['gone', 'failing'] as const;
export const TUNNEL_ENROLMENT_STATUSES = ['pending', 'approved', 'denied'] as const;
export const TUNNEL_PROTOCOLS = ['tcp', 'udp'] as const;
/** `custom` is PowerDNS. */
export const DNS_PROVIDERS = ['cloudflare', 'custom'] as const;
export type DnsProviderName = (typeof DNS_PROVIDERS)[number];
export const DNS_ZONE_STATUSES = ['pending', 'active'] as const;

export const DEPLOYMENT_COMPONENTS = ['api', 'client'] as const;
export const DEPLOYMENT_HOSTINGS = ['hosted', 'self_hosted'] as const;
export const DEPLOYMENT_STATUSES = ['pending', 'running', 'stopped', 'destroyed'] as const;
export const DEPLOYMENT_HEALTHS = ['unknown', 'healthy', 'unhealthy'] as const;
/** What a server is meant to do, and what its node says that it does. */
export const DESIRED_STATES = ['running', 'stopped'] as const;
export const SERVER_STATES = ['creating', 'running', 'stopped', 'failed'] as const;
