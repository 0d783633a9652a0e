import { isIPv4, isIPv6 } from 'node:net';

/**
 * The first six groups, in decimal, of an IPv6 address whose last two are an IPv4 address: mapped (RFC 4291 §2.5.5.2), and translated for a server
 * without IPv4 (RFC 6052 §2.1), to which all of its IPv4 clients would be one network.
 */
const IPV4_PREFIXES: ReadonlySet<string> = new Set(['0:0:0:0:0:65535', '100:65435:0:0:0:0']);

/**
 * Returns the network of a client's address: the IPv4 address itself, or the /64 of an IPv6 address, which one customer of a provider usually
 * has alone (RFC 6177). All spellings of an address give the same network. An IPv4 address written as IPv6 (`::ffff:192.0.2.1`) counts as IPv4.
 *
 * @param address the client's address according to the framework; a port and brackets are ignored
 * @returns the network, or `undefined` if the value is not an IP address
 */
export function networkOf(address: unknown): string | undefined {
  if (typeof address !== 'string') return undefined;
  const bare = withoutPort(address);
  if (isIPv4(bare)) return bare;
  const withoutZone = bare.replace(/%.*$/, '');
  if (!isIPv6(withoutZone)) return undefined;
  const groups = groupsOf(withoutZone);
  return IPV4_PREFIXES.has(groups.slice(0, 6).join(':'))
    ? ipv4Of(groups)
    : `${groups
        .slice(0, 4)
        .map((group) => group.toString(16))
        .join(':')}::/64`;
}

/** Some proxies write `192.0.2.1:4711` or `[2001:db8::1]:4711` into the header that the framework reads the address from. */
function withoutPort(address: string): string {
  const trimmed = address.trim();
  const bracketed = /^\[([^\]]*)\](:\d*)?$/.exec(trimmed);
  return bracketed?.[1] ?? trimmed.replace(/^([\d.]+):\d*$/, '$1');
}

/** The eight groups of an IPv6 address. The URL parser gives all spellings one form (WHATWG URL, IPv6 serializer). */
function groupsOf(address: string): number[] {
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [head = [], tail] = canonical.split('::').map(parseGroups);
  return tail ? [...head, ...Array<number>(8 - head.length - tail.length).fill(0), ...tail] : head;
}

function parseGroups(text: string): number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
}

function ipv4Of(groups: readonly number[]): string {
  const [high = 0, low = 0] = groups.slice(6);
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.');
}
