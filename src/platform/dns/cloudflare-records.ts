import type { RecordBatchParams, RecordResponse } from 'cloudflare/resources/dns/records';
import type { ProviderRrset } from '../../domain/dns-provider.ts';
import { isManaged, type Rrset, type RrsetChange } from '../../kernel/dns/rrsets.ts';

/** What one call may hold on every plan. */
const OPERATIONS_AT_ONCE = 200;

type Post = NonNullable<RecordBatchParams['posts']>[number];
type Operation = { delete: string } | { post: Post };

/** A content in the form of zone files; it is made canonical where it is compared. */
function contentOf(record: RecordResponse): string {
  const content = record.content ?? '';
  if (record.type === 'MX') return `${record.priority ?? 0} ${content}`;
  if (record.type === 'SRV') {
    const { priority = 0, weight = 0, port = 0, target = '' } = record.data ?? {};
    return `${priority} ${weight} ${port} ${target}`;
  }
  if (record.type === 'CAA') {
    const { flags = 0, tag = '', value = '' } = record.data ?? {};
    return `${flags} ${tag} "${value.replace(/["\\]/g, '\\$&')}"`;
  }
  return content;
}

/** What is proxied is served otherwise than we say: as nothing that we wrote it differs, and is replaced. */
const shownContent = (record: RecordResponse): string =>
  record.proxied === true ? `proxied ${contentOf(record)}` : contentOf(record);

/** The rrsets that records of Cloudflare make, each content with its id. */
export function rrsetsOfRecords(records: readonly RecordResponse[], zone: string): ProviderRrset[] {
  const sets = new Map<string, Rrset & { refs: string[] }>();
  for (const record of records) {
    const { name, type, ttl, id } = record;
    if (!isManaged(name.toLowerCase(), type, zone)) continue;
    const key = `${name.toLowerCase()} ${type}`;
    const set = sets.get(key) ?? { name: name.toLowerCase(), type, ttl, contents: [], refs: [] };
    // Records have their TTL one by one: a set of two is none of ours.
    if (set.ttl !== ttl) set.ttl = 0;
    set.contents.push(shownContent(record));
    set.refs.push(id);
    sets.set(key, set);
  }
  return [...sets.values()];
}

const withoutDot = (target: string): string => (target === '.' ? target : target.replace(/\.$/, ''));

function postOf({ name, type, ttl }: Rrset, content: string): Post {
  const [first = '', second = '', third = '', fourth = ''] = content.split(' ');
  switch (type) {
    case 'A':
    case 'AAAA':
      return { name, type, ttl, content, proxied: false };
    case 'TXT':
      return { name, type, ttl, content };
    case 'CNAME':
      return { name, type, ttl, content: withoutDot(content), proxied: false };
    case 'NS':
      return { name, type, ttl, content: withoutDot(content) };
    case 'MX':
      return { name, type, ttl, priority: Number(first), content: withoutDot(second) };
    case 'SRV': {
      const [priority, weight, port] = [Number(first), Number(second), Number(third)];
      return { name, type, ttl, data: { priority, weight, port, target: withoutDot(fourth) } };
    }
    case 'CAA': {
      const value = content.slice(first.length + second.length + 3, -1).replace(/\\(.)/g, '$1');
      return { name, type, ttl, data: { flags: Number(first), tag: second, value } };
    }
  }
}

/** A record is changed by making it anew, so that a change has only deletions and additions. */
function operationsOf({ before, after }: RrsetChange<ProviderRrset>): Operation[] {
  const present = before?.contents ?? [];
  const kept = new Set(
    after === null || before?.ttl !== after.ttl ? [] : present.filter((c) => after.contents.includes(c)),
  );
  const deletes = present.flatMap((content, index) =>
    kept.has(content) ? [] : [before?.refs?.[index] ?? ''],
  );
  const posts = after?.contents.filter((content) => !kept.has(content)) ?? [];
  return [
    ...deletes.map((id) => ({ delete: id })),
    ...(after === null ? [] : posts.map((content) => ({ post: postOf(after, content) }))),
  ];
}

/** The calls that make these changes. In one call deletions come first, and all of it happens or nothing. */
export function batchesOf(
  changes: readonly RrsetChange<ProviderRrset>[],
): Required<Pick<RecordBatchParams, 'deletes' | 'posts'>>[] {
  const batches: Operation[][] = [[]];
  for (const operations of changes.map(operationsOf)) {
    const room = OPERATIONS_AT_ONCE - (batches.at(-1)?.length ?? 0);
    if (operations.length > room) batches.push([]);
    for (const operation of operations) {
      if (batches.at(-1)?.length === OPERATIONS_AT_ONCE) batches.push([]);
      batches.at(-1)?.push(operation);
    }
  }
  return batches
    .filter((operations) => operations.length > 0)
    .map((operations) => ({
      deletes: operations.flatMap((one) => ('delete' in one ? [{ id: one.delete }] : [])),
      posts: operations.flatMap((one) => ('post' in one ? [one.post] : [])),
    }));
}
