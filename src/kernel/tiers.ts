/** Which organizations a shared node is for. */
export const NODE_POOLS = ['free', 'paid', 'free_and_paid'] as const;
export type NodePool = (typeof NODE_POOLS)[number];

type Allowance = {
  name: string;
  /** Null is no limit. */
  maxServers: number | null;
  /** The pools of shared nodes that servers are placed in. */
  pools: readonly NodePool[];
  /** Whether nodes may be set aside for the organization, and are used for it. */
  dedicatedNodes: boolean;
};

/** What each plan allows. */
export const TIERS = {
  free: { name: 'Free Portal', maxServers: 2, pools: ['free', 'free_and_paid'], dedicatedNodes: false },
  paid: { name: 'Pro Portal', maxServers: 10, pools: ['paid', 'free_and_paid'], dedicatedNodes: false },
  educational: {
    name: 'Educational Portal',
    maxServers: 3,
    pools: ['paid', 'free_and_paid'],
    dedicatedNodes: false,
  },
  enterprise: { name: 'Enterprise Portal', maxServers: null, pools: NODE_POOLS, dedicatedNodes: true },
} as const satisfies Record<string, Allowance>;

export type Tier = keyof typeof TIERS;
export const TIER_NAMES = Object.keys(TIERS) as [Tier, ...Tier[]];

/** What a tier allows, whichever it is. */
export const allowanceOf = (tier: Tier): Allowance => TIERS[tier];

const serversOf = (tier: Tier): number => TIERS[tier].maxServers ?? Number.POSITIVE_INFINITY;

/** The one that allows most; without any it is the free one. */
export const bestTier = (tiers: readonly Tier[]): Tier =>
  tiers.reduce<Tier>((best, tier) => (serversOf(tier) > serversOf(best) ? tier : best), 'free');
