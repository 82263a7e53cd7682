import { availableParallelism } from 'node:os';
import type postgres from 'postgres';
import { withInstallation } from './installation.ts';
import { median } from './measure.ts';

/*
 * npm run bench:placement
 *
 * Does a server take longer to place among many nodes? One caller after another creates and removes servers over HTTP,
 * with 10 nodes and with 1,000, in turns, so that whatever else the machine does meets both alike.
 */

const SIZES = [10, 1_000];
const ROUNDS = 5;
const CREATED_EACH_ROUND = 100;
/** Servers that are there already, on every node. */
const SERVERS_A_NODE = 20;
const TARGET = 3;

const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** An installation with so many nodes, each with another amount of free memory. */
async function layOut(sql: postgres.Sql, organizationId: string, nodes: number): Promise<void> {
  await sql`truncate servers, nodes`;
  await sql`
    insert into nodes (id, name, pool, memory_mb, disk_mb, cpu_percent, used_memory_mb, used_disk_mb, used_cpu_percent,
      token_hash, last_heartbeat_at)
    select uuidv7(), 'n' || n, 'free_and_paid', 1000000 + n, 10000000, 1000000, 1024 * ${SERVERS_A_NODE}::int,
      1024 * ${SERVERS_A_NODE}::int, ${SERVERS_A_NODE}::int, 'token ' || n, now()
    from generate_series(1, ${nodes}::int) n`;
  await sql`
    insert into servers (id, organization_id, node_id, name, memory_mb, disk_mb, cpu_percent)
    select uuidv7(), ${organizationId}, n.id, 'there', 1024, 1024, 1
    from nodes n, generate_series(1, ${SERVERS_A_NODE}::int)`;
  await sql`vacuum analyze servers, nodes`;
}

/** Creates one server. @returns the milliseconds that it took */
async function create(url: string, key: string, organizationId: string): Promise<number> {
  const body = { organizationId, name: 'new', memoryMb: 512, diskMb: 512, cpuPercent: 1 };
  const start = performance.now();
  const response = await fetch(`${url}/api/server.create`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': key },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`server.create answered ${response.status}: ${text}`);
  return performance.now() - start;
}

await withInstallation({}, async ({ url, sql, seeded: { key } }) => {
  const answer = await fetch(`${url}/api/organization.active`, { headers: { 'x-api-key': key } });
  const { id: organizationId } = (await answer.json()) as { id: string };

  const times = new Map(SIZES.map((size) => [size, [] as number[]]));
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const [size, measured] of times) {
      await layOut(sql, organizationId, size);
      for (let n = 0; n < CREATED_EACH_ROUND; n += 1) {
        const ms = await create(url, key, organizationId);
        if (round > 0) measured.push(ms); // the first round is for the compiler
      }
    }
  }
  const [few = Number.NaN, many = Number.NaN] = [...times.values()].map(median);
  say(
    `server.create: ${few.toFixed(2)} ms with ${SIZES[0]} nodes, ${many.toFixed(2)} ms with ${SIZES[1]} ` +
      `(medians of ${ROUNDS * CREATED_EACH_ROUND}): ${(many / few).toFixed(2)} times as long, ` +
      `target ≤ ${TARGET}, ${many / few <= TARGET ? 'met' : 'missed'}`,
  );
  say(
    `${availableParallelism()} cores, Node ${process.versions.node}, PostgreSQL bundled, all on the same machine`,
  );
});
