import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalNetwork, isPublicAddress, isWithinNetworks } from '../../src/kernel/networks.ts';

describe('one way to write an address or a range', () => {
  test.each([
    ['203.0.113.7', '203.0.113.7'],
    ['203.0.113.7/32', '203.0.113.7'],
    ['10.1.2.3/8', '10.0.0.0/8'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:db8::1/128', '2001:db8::1'],
    ['2001:db8:1:2:3::/64', '2001:db8:1:2::/64'],
    ['::/0', '::/0'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['::ffff:cb00:7107/120', '203.0.113.0/24'],
  ])('%s is %s', (text, canonical) => {
    expect(canonicalNetwork(text)).toBe(canonical);
    expect(canonicalNetwork(canonical)).toBe(canonical);
  });

  test.each([
    '',
    'localhost',
    '127.1',
    '0x7f.0.0.1',
    '010.0.0.1',
    '2130706433',
    '256.0.0.1',
    '10.0.0.0/33',
    '10.0.0.0/08',
    '10.0.0.0/-1',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '10.0.0.0/255.0.0.0',
    '2001:db8::/129',
    'fe80::1%eth0',
    '::10.0.0.1',
    '::10.0.0.1/8',
    '2001:db8:::1',
    ':',
    ' 10.0.0.1',
    '10.0.0.1\n',
  ])('%j is none', (text) => expect(canonicalNetwork(text)).toBeNull());

  test('any text is one or none, and what is one stays one', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.ipV4(), fc.ipV6(), fc.ipV4Extended()),
        fc.nat(140),
        (text, bits) => {
          for (const each of [text, `${text}/${bits}`]) {
            const canonical = canonicalNetwork(each);
            if (canonical !== null) expect(canonicalNetwork(canonical)).toBe(canonical);
          }
        },
      ),
    );
  });
});

describe('being within', () => {
  test.each([
    ['203.0.113.7', ['203.0.113.7'], true],
    ['203.0.113.8', ['203.0.113.7'], false],
    ['::ffff:203.0.113.7', ['203.0.113.7'], true],
    ['10.255.0.1', ['192.0.2.1', '10.0.0.0/8'], true],
    ['11.0.0.1', ['10.0.0.0/8'], false],
    ['2001:db8:1:2::9', ['2001:db8:1:2::/64'], true],
    ['2001:db8:1:3::9', ['2001:db8:1:2::/64'], false],
    ['2001:db8::1', ['0.0.0.0/0'], false],
    ['203.0.113.7', ['::/0'], false],
    ['203.0.113.7', [], false],
    ['fe80::1%eth0', ['fe80::/10'], true],
    ['::10.0.0.1', ['10.0.0.1'], false],
    ['', ['0.0.0.0/0'], false],
    ['unknown', ['0.0.0.0/0', '::/0'], false],
  ])('%s of %j: %s', (address, networks, expected) =>
    expect(isWithinNetworks(address, networks)).toBe(expected),
  );

  test('an address is within its own ranges', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), fc.nat(32), (address, bits) => {
        const network = canonicalNetwork(`${address}/${bits}`);
        const mapped = address.toLowerCase().includes(':ffff:'); // such a range is of IPv6, the address of IPv4
        if (network !== null && !mapped) expect(isWithinNetworks(address, [network])).toBe(true);
      }),
    );
  });
});

describe('addresses of the public internet', () => {
  test.each([
    '1.1.1.1',
    '8.8.8.8',
    '172.15.255.255',
    '172.32.0.0',
    '100.63.255.255',
    '100.128.0.0',
    '192.167.255.255',
    '169.253.255.255',
    '223.255.255.255',
    '2606:4700:4700::1111',
    '2a00:1450:4001::200e',
    '::ffff:8.8.8.8',
    '64:ff9b::8.8.8.8',
  ])('%s', (address) => expect(isPublicAddress(address)).toBe(true));

  test.each([
    ...['0.0.0.0', '0.1.2.3', '10.0.0.1', '127.0.0.1', '127.255.255.255', '169.254.169.254', '172.16.0.1'],
    ...['172.31.255.255', '192.168.1.1', '100.64.0.1', '100.127.255.255', '192.0.0.192', '192.0.2.1'],
    ...[
      '198.18.0.1',
      '198.19.255.255',
      '198.51.100.1',
      '203.0.113.1',
      '192.88.99.1',
      '224.0.0.1',
      '240.0.0.1',
    ],
    ...['255.255.255.255', '168.63.129.16', '100.100.100.200'],
    ...['::', '::1', 'fe80::1', 'fec0::1', 'fc00::1', 'fd00:ec2::254', 'ff02::1', '100::1', '2001:db8::1'],
    ...['3fff::1', '5f00::1', '2001::1', '2001:2::1', '2001:10::1', '2001:20::1', '4000::1', '::2'],
    // IPv4 inside: mapped, compatible, translated, 6to4, Teredo
    ...['::ffff:127.0.0.1', '::ffff:a00:1', '::ffff:169.254.169.254', '::127.0.0.1', '::7f00:1', '::8.8.8.8'],
    ...['::ffff:0:127.0.0.1', '64:ff9b::127.0.0.1', '64:ff9b::a9fe:a9fe', '64:ff9b:1::8.8.8.8'],
    ...['2002:7f00:1::', '2002:808:808::1', '2001:0:808:808::1'],
    // Written otherwise, or no address
    ...['127.1', '0x7f.0.0.1', '010.0.0.1', '2130706433', '134744072', 'fe80::1%eth0', 'localhost', ''],
  ])('not %s', (address) => expect(isPublicAddress(address)).toBe(false));
});
