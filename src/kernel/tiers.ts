/** What each plan allows. `maxServers: null` is no limit. */
export const TIERS = {
  free: { name: 'Free Portal', maxServers: 2 },
  paid: { name: 'Pro Portal', maxServers: 10 },
  educational: { name: 'Educational Portal', maxServers: 3 },
  enterprise: { name: 'Enterprise Portal', maxServers: null },
} as const satisfies Record<string, { name: string; maxServers: number | null }>;

export type Tier = keyof typeof TIERS;
export const TIER_NAMES = Object.keys(TIERS) as [Tier, ...Tier[]];
