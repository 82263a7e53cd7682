import ipaddr from 'ipaddr.js';

type Network = [address: ipaddr.IPv4 | ipaddr.IPv6, bits: number];

const MAPPED_BITS = 96;

/** The deprecated `::10.0.0.1` (RFC 4291, 2.5.5.1), which the library takes for `::ffff:10.0.0.1`. */
const COMPATIBLE = /^::\d+\./;

/** The library also takes shorthands such as 127.1, octal numbers and zones; they mean different things elsewhere. */
function parse(text: string): Network | null {
  const [address = '', prefix, ...more] = text.split('/');
  const isPlain = ipaddr.IPv4.isValidFourPartDecimal(address) || /^[0-9a-f:.]*:[0-9a-f:.]*$/i.test(address);
  if (!isPlain || COMPATIBLE.test(address) || more.length > 0 || !ipaddr.isValid(address)) return null;
  const parsed = ipaddr.parse(address);
  const whole = parsed instanceof ipaddr.IPv4 ? 32 : 128;
  if (prefix !== undefined && !/^(?:0|[1-9]\d{0,2})$/.test(prefix)) return null;
  const bits = prefix === undefined ? whole : Number(prefix);
  if (bits > whole) return null;
  if (parsed instanceof ipaddr.IPv6 && parsed.isIPv4MappedAddress() && bits >= MAPPED_BITS) {
    return [parsed.toIPv4Address(), bits - MAPPED_BITS];
  }
  return [parsed, bits];
}

/**
 * An address, or a range in CIDR notation, in the one way to write it: without bits behind the prefix, IPv6 shortened
 * (RFC 5952), an IPv4 address inside IPv6 as IPv4. Null for anything else.
 */
export function canonicalNetwork(text: string): string | null {
  const parsed = parse(text);
  if (parsed === null) return null;
  const [address, bits] = parsed;
  const cidr = `${address.toString()}/${bits}`;
  if (address instanceof ipaddr.IPv4) {
    const first = ipaddr.IPv4.networkAddressFromCIDR(cidr).toString();
    return bits === 32 ? first : `${first}/${bits}`;
  }
  const first = ipaddr.IPv6.networkAddressFromCIDR(cidr).toRFC5952String();
  return bits === 128 ? first : `${first}/${bits}`;
}

/**
 * An address in the one way to write it, without a zone, and without the port that some proxies add. Null for anything
 * else.
 */
export function canonicalAddress(text: string): string | null {
  const bare = text.replace(/^\[(.*)\](?::\d+)?$|^(\d+(?:\.\d+){3}):\d+$/, '$1$2').replace(/%.*$/, '');
  return bare.includes('/') ? null : canonicalNetwork(bare);
}

/** What counts as one client: an address, and of IPv6 the /64, as that is the least that anybody holds. */
export const clientOf = (address: string): string =>
  address.includes(':') ? (canonicalNetwork(`${address}/64`) ?? address) : address;

/** Whether an address is one of `networks` or within one. An address that cannot be read is within none. */
export function isWithinNetworks(address: string, networks: readonly string[]): boolean {
  const [client] = parse(address.replace(/%.*$/, '')) ?? []; // a zone says by which interface it came
  if (client === undefined) return false;
  return networks.some((text) => {
    const network = parse(text);
    return network !== null && network[0].kind() === client.kind() && client.match(network);
  });
}

/** Within ipaddr.js's `unicast` and reachable from inside a cloud only: the host services of Azure. */
const NOT_PUBLIC = ['168.63.129.16'];
/** RFC 6052: how an IPv6-only network reaches IPv4. */
const NAT64 = ipaddr.IPv6.parse('64:ff9b::');
/** All that is assigned for the public internet (RFC 4291, 2.4). */
const GLOBAL_UNICAST = ipaddr.IPv6.parse('2000::');

/**
 * Whether an address belongs to the public internet: not to this machine, its network, its provider, or a range with
 * a special meaning. An IPv4 address inside an IPv6 one counts as what it is; what cannot be read is not public.
 */
export function isPublicAddress(text: string): boolean {
  const [address] = parse(text) ?? [];
  if (address === undefined) return false;
  if (address instanceof ipaddr.IPv4) {
    return address.range() === 'unicast' && !NOT_PUBLIC.includes(address.toString());
  }
  if (address.match(NAT64, 96)) {
    return isPublicAddress(ipaddr.fromByteArray(address.toByteArray().slice(12)).toString());
  }
  return address.range() === 'unicast' && address.match(GLOBAL_UNICAST, 3);
}
