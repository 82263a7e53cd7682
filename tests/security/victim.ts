import {
  invite,
  newDeliveryOf,
  newDeploymentOf,
  newEnrolment,
  newNodeOf,
  newRecordOf,
  newRoleOf,
  newServerOf,
  newSshKeyOf,
  newTunnelAllocationOf,
  newTunnelDeviceOf,
} from '../api/stage.ts';
import type { Harness } from '../support/harness.ts';

/** Another tenant, who is to stay as he was. */
export type Victim = { organizationId: string; ids: { table: string; id: string }[] };

/** The tables that have a column of this name. */
export const tablesWith = async (h: Harness, column: string): Promise<string[]> =>
  (
    await h.sql<{ name: string }[]>`select table_name as name from information_schema.columns
      where table_schema = 'public' and column_name = ${column} order by 1`
  ).map(({ name }) => name);

/** An organization that has something of everything, and the ids of all of it. */
export async function createVictim(h: Harness): Promise<Victim> {
  const { id: organizationId, owner, join } = await h.organization();
  await Promise.all([join('admin'), join('member')]);
  await newRoleOf(h, organizationId, 'Theirs');
  await newDeploymentOf(h, organizationId); // with a license
  await newNodeOf(h, organizationId);
  await newServerOf(h, organizationId);
  await newSshKeyOf(h, organizationId);
  await newTunnelAllocationOf(h, organizationId); // with a device
  await newTunnelDeviceOf(h, { organizationId });
  await newEnrolment(h, { approvedBy: owner.id, organizationId });
  await h.sql`update tunnel_enrolments set expires_at = now() + interval '1 day'`;
  const { zoneId, recordId } = await newRecordOf(h, organizationId);
  await invite(owner, organizationId);
  await h.key(owner, { organizationId });
  await newDeliveryOf(h, organizationId); // with a webhook, which is there last: nothing is sent to it
  const ids = [
    { table: 'organizations', id: organizationId },
    { table: 'users', id: owner.id },
    { table: 'dns_zones', id: zoneId },
    { table: 'dns_records', id: recordId },
  ];
  for (const table of await tablesWith(h, 'organization_id')) {
    const rows = await h.sql<{ id: string | null }[]>`
      select to_jsonb(t) ->> 'id' as id from ${h.sql(table)} t where organization_id = ${organizationId}`;
    ids.push(...rows.flatMap(({ id }) => (id === null ? [] : [{ table, id }])));
  }
  return { organizationId, ids };
}

/** Ids of the victim's that are of the kind that a field takes: for sshKeyId those of ssh_keys. */
export function fittingIds(victim: Victim, field: string): string[] {
  const noun = field.replace(/Id$/, '').replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return victim.ids.flatMap(({ table, id }) => (table.includes(noun.slice(0, -1)) ? id : []));
}

/** By table, all that belongs to the victim in one hash; a table where nothing does is not there. */
export async function rowsOfVictim(h: Harness, { organizationId }: Victim): Promise<Record<string, string>> {
  const scopes: [table: string, condition: string][] = [
    ['organizations', `id = '${organizationId}'`],
    ['dns_records', `zone_id in (select id from dns_zones where organization_id = '${organizationId}')`],
    ['users', `id in (select user_id from memberships where organization_id = '${organizationId}')`],
    ...(await tablesWith(h, 'organization_id')).map((table): [string, string] => [
      table,
      `organization_id = '${organizationId}'`,
    ]),
  ];
  const hashes = await h.sql.unsafe<{ name: string; hash: string | null }[]>(
    scopes
      .map(
        ([
          table,
          condition,
        ]) => `select '${table}' as name, md5(string_agg(t::text, '|' order by t::text)) as hash
        from ${table} t where ${condition}`,
      )
      .join(' union all '),
  );
  return Object.fromEntries(hashes.flatMap(({ name, hash }) => (hash === null ? [] : [[name, hash]])));
}
