import fc from 'fast-check';
import { networkOf } from './client-network.js';

describe('networkOf', () => {
  it.each([
    ['an IPv4 address itself', '192.0.2.1', '192.0.2.1'],
    ['an IPv4 address inside an IPv6 one', '::ffff:192.0.2.1', '192.0.2.1'],
    ['the same in hexadecimal', '::FFFF:C000:0201', '192.0.2.1'],
    ['an IPv4 client of a server without IPv4', '64:ff9b::192.0.2.1', '192.0.2.1'],
    ['an address that only starts like a translated IPv4 address', '64:ff9b:0:0:1::c000:201', '64:ff9b:0:0::/64'],
    ['an IPv6 address by its /64', '2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['capitals and leading zeros', '2001:0DB8:0001:0002::1', '2001:db8:1:2::/64'],
    ['a run of zeros', '2001:db8::1', '2001:db8:0:0::/64'],
    ['loopback', '::1', '0:0:0:0::/64'],
    ['a zone', 'fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['zeros in the middle', '2001:db8::4:5:6', '2001:db8:0:0::/64'],
    ['zeros at the end', '2001:db8:1:2::', '2001:db8:1:2::/64'],
    ['an address that only ends like a mapped IPv4 address', '2001:db8::ffff:c000:201', '2001:db8:0:0::/64'],
    ['an address that only looks like a mapped IPv4 address', '0:0:0:0:1:ffff:c000:201', '0:0:0:0::/64'],
    ['an IPv4 address with a port', '192.0.2.1:4711', '192.0.2.1'],
    ['an IPv6 address in brackets', '[2001:db8:1:2::1]', '2001:db8:1:2::/64'],
    ['an IPv6 address in brackets with a port', '[2001:db8:1:2::1]:4711', '2001:db8:1:2::/64'],
    ['a mapped IPv4 address in brackets with a port', '[::ffff:192.0.2.1]:80', '192.0.2.1'],
    ['blanks around an address', ' 192.0.2.1 ', '192.0.2.1'],
  ])('returns one network for %s', (_what, address, network) => {
    expect(networkOf(address)).toBe(network);
  });

  it.each([undefined, null, 5, '', 'localhost', '1.2.3', '256.1.1.1', ':::', 'fe80::1%eth0\n::1', ['192.0.2.1']])(
    'returns undefined for %p',
    (address) => {
      expect(networkOf(address)).toBeUndefined();
    },
  );

  it('returns the same network for two IPv6 addresses exactly when they share a /64', () => {
    fc.assert(
      fc.property(fc.ipV6(), fc.ipV6(), (left, right) => {
        const [a, b] = [left, right].map((address) => bits(address));
        if (a?.mapped || b?.mapped) return;
        expect(networkOf(left) === networkOf(right)).toBe(a?.prefix === b?.prefix);
      }),
    );
  });

  it('does not throw for any value', () => {
    fc.assert(fc.property(fc.anything(), (address) => expect(() => networkOf(address)).not.toThrow()));
    fc.assert(fc.property(fc.string(), (address) => void networkOf(address)));
  });
});

/** The first 64 bits of an address, computed without the code under test. */
function bits(address: string): { prefix: string; mapped: boolean } {
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [head = '', tail] = canonical.split('::');
  const heads = head.split(':').filter(Boolean);
  const tails = (tail ?? '').split(':').filter(Boolean);
  const groups =
    tail === undefined ? heads : [...heads, ...Array<string>(8 - heads.length - tails.length).fill('0'), ...tails];
  return {
    prefix: groups.slice(0, 4).join(':'),
    mapped: ['0:0:0:0:0:ffff', '64:ff9b:0:0:0:0'].includes(groups.slice(0, 6).join(':')),
  };
}
