import { sql } from 'drizzle-orm';
import { bigint, boolean, check, index, pgTable, text, uuid } from 'drizzle-orm/pg-core';
import { NODE_POOLS } from '../../kernel/tiers.ts';
import { DESIRED_STATES, SERVER_STATES } from '../../kernel/vocabulary.ts';
import { createdAt, id, moment, updatedAt } from '../columns.ts';
import { ofOrganization, ofOrganizationOrAll } from '../policies.ts';
import { organizations } from './organizations.ts';

const amount = (name: string) => bigint(name, { mode: 'number' });
const used = (name: string) => amount(name).notNull().default(0);

/**
 * A machine that runs servers. What its servers take together is kept beside what it has, so that room is found and
 * taken in one statement; the checks hold whatever comes at once.
 */
export const nodes = pgTable(
  'nodes',
  {
    id: id(),
    name: text().notNull().unique('nodes_name_unique'),
    /** Where its servers are reached. */
    address: text(),
    pool: text({ enum: NODE_POOLS }).notNull(),
    /** Set for a dedicated node: it takes servers of this organization only, and its pool rests. */
    organizationId: uuid('organization_id').references(() => organizations.id),
    memoryMb: amount('memory_mb').notNull(),
    diskMb: amount('disk_mb').notNull(),
    /** 100 is one core. */
    cpuPercent: amount('cpu_percent').notNull(),
    usedMemoryMb: used('used_memory_mb'),
    usedDiskMb: used('used_disk_mb'),
    usedCpuPercent: used('used_cpu_percent'),
    /** Takes no new servers; those that it has stay. */
    draining: boolean().notNull().default(false),
    tokenHash: text('token_hash').notNull().unique('nodes_token_hash_unique'),
    agentVersion: text('agent_version'),
    lastHeartbeatAt: moment('last_heartbeat_at'),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
  (t) => [
    index('nodes_organization').on(t.organizationId),
    ...ofOrganizationOrAll(t.organizationId),
    check('nodes_memory', sql`${t.usedMemoryMb} between 0 and ${t.memoryMb}`),
    check('nodes_disk', sql`${t.usedDiskMb} between 0 and ${t.diskMb}`),
    check('nodes_cpu', sql`${t.usedCpuPercent} between 0 and ${t.cpuPercent}`),
  ],
);

/** A server of an organization, on the node that was chosen for it. Whoever made it may have left since. */
export const servers = pgTable(
  'servers',
  {
    id: id(),
    organizationId: uuid('organization_id')
      .notNull()
      .references(() => organizations.id),
    nodeId: uuid('node_id')
      .notNull()
      .references(() => nodes.id),
    name: text().notNull(),
    memoryMb: amount('memory_mb').notNull(),
    diskMb: amount('disk_mb').notNull(),
    cpuPercent: amount('cpu_percent').notNull(),
    desiredState: text('desired_state', { enum: DESIRED_STATES }).notNull().default('running'),
    /** What its node last said, at `reportedAt`. */
    state: text({ enum: SERVER_STATES }).notNull().default('creating'),
    reportedAt: moment('reported_at'),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
  (t) => [
    index('servers_organization').on(t.organizationId, t.id),
    index('servers_node').on(t.nodeId, t.id),
    ...ofOrganization(t.organizationId),
  ],
);
