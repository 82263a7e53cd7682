import { z } from 'zod';
import { NODE_POOLS, TIER_NAMES, TIERS } from '../kernel/tiers.ts';
import { publicProcedure, router } from './trpc.ts';

const Tier = z
  .object({
    tier: z.enum(TIER_NAMES),
    name: z.string().meta({ example: 'Pro Portal' }),
    maxServers: z.number().int().nullable().meta({ description: 'Null is no limit.' }),
    pools: z.array(z.enum(NODE_POOLS)).meta({ description: 'The shared nodes that servers are placed on.' }),
    dedicatedNodes: z.boolean().meta({ description: 'Whether nodes may be set aside for the organization.' }),
  })
  .meta({ id: 'Tier' });

export const portalRouter = router({
  tiers: publicProcedure
    .meta({ summary: 'List the tiers, with what each allows' })
    .output(z.array(Tier))
    .query(() =>
      TIER_NAMES.map((tier) => {
        const { name, maxServers, pools, dedicatedNodes } = TIERS[tier];
        return { tier, name, maxServers, pools: [...pools], dedicatedNodes };
      }),
    ),
});
