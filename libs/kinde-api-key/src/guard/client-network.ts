import { isIPv4, isIPv6 } from 'node:net';

/**
 * The network that a client's address belongs to: an IPv4 address by itself, an IPv6 address with the 2^64 others of its /64, which one
 * customer of a provider usually has for itself (RFC 6177). Spellings of one address give one network; an IPv4 address that is written as an
 * IPv6 one (`::ffff:192.0.2.1`, RFC 4291 §2.5.5.2) is the IPv4 address.
 *
 * @param address what the framework takes for the client's address
 * @returns the network, or `undefined` where there is no address
 */
export function networkOf(address: unknown): string | undefined {
  if (typeof address !== 'string') return undefined;
  if (isIPv4(address)) return address;
  const withoutZone = address.replace(/%.*$/, '');
  if (!isIPv6(withoutZone)) return undefined;
  const groups = groupsOf(withoutZone);
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  return isMapped
    ? ipv4Of(groups)
    : `${groups
        .slice(0, 4)
        .map((group) => group.toString(16))
        .join(':')}::/64`;
}

/** The eight groups of an IPv6 address. The URL parser writes every spelling in one way (WHATWG URL, IPv6 serializer). */
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
