import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalContent, moveTarget, type RecordType, withPriority } from '../../src/kernel/dns/content.ts';
import { fullName, qualifyIn, recordName } from '../../src/kernel/dns/names.ts';
import { changesBetween, rrsetsOf, type StoredRecord } from '../../src/kernel/dns/rrsets.ts';
import { parseZoneFile, printZoneFile } from '../../src/kernel/dns/zone-file.ts';
import { DomainError } from '../../src/kernel/errors.ts';

const ZONE = 'acme.example.com';
const refusal = (task: () => unknown): string => {
  try {
    return `accepted: ${JSON.stringify(task())}`;
  } catch (error) {
    if (error instanceof DomainError) return `${error.field} ${error.reason}`;
    throw error;
  }
};

describe('a name', () => {
  test.each([
    ['www', 'www'],
    ['@', '@'],
    ['', '@'],
    [ZONE, '@'],
    [`${ZONE}.`, '@'],
    ['WWW.Acme.Example.COM.', 'www'],
    ['a.b', 'a.b'],
    ['example.com', 'example.com'], // relative: it has no dot at its end
    ['*', '*'],
    ['*.dev', '*.dev'],
    ['_sip._tcp', '_sip._tcp'],
    ['münchen', 'xn--mnchen-3ya'],
    ['xn--mnchen-3ya', 'xn--mnchen-3ya'],
    [`notacme.example.com.${ZONE}.`, 'notacme.example.com'],
  ])('%s is %s', (text, name) => expect(recordName(text, ZONE)).toBe(name));

  test.each(['example.com.', 'com.', 'elsewhere.example.com.', 'notacme.example.com.', `x${ZONE}.`])(
    '%s is outside',
    (text) => expect(refusal(() => recordName(text, ZONE))).toBe('name dns_name_outside_zone'),
  );

  test.each([
    'a..b',
    '.',
    '.www',
    'a b',
    '-a',
    'a-',
    'a*',
    'a.*',
    '*.*',
    'a\\.b',
    'xn--a',
    'x'.repeat(64),
    'a.'.repeat(130),
    'a\u0001b',
    'a。b。',
    '%2e',
    'a/b',
    '\u212a\u0000',
  ])('%s is none', (text) => expect(refusal(() => recordName(text, ZONE))).toBe('name dns_name_invalid'));

  test('is always one of the zone, in one way to write it', () => {
    const text = fc.oneof(
      fc.string(),
      fc.string({ unit: 'grapheme' }),
      fc.domain().map((d) => `${d}.`),
    );
    fc.assert(
      fc.property(text, (name) => {
        const result = ((): string | undefined => {
          try {
            return recordName(name, ZONE);
          } catch (error) {
            if (error instanceof DomainError) return undefined;
            throw error;
          }
        })();
        if (result === undefined) return;
        const full = fullName(result, ZONE);
        expect(full === ZONE || full.endsWith(`.${ZONE}`)).toBe(true);
        expect(full).toMatch(/^[a-z0-9_.*-]{1,253}$/);
        expect(recordName(`${full}.`, ZONE)).toBe(result);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('a content', () => {
  const contentOf = (type: RecordType, text: string) => canonicalContent(type, text, qualifyIn(ZONE));
  test.each<[RecordType, string, string]>([
    ['A', ' 192.0.2.1 ', '192.0.2.1'],
    ['AAAA', '2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['AAAA', '::FFFF:192.0.2.1', '::ffff:c000:201'],
    ['AAAA', '::192.0.2.1', '::c000:201'],
    ['AAAA', '::0.14.0.3', '::e:3'],
    ['CNAME', 'Target.Example.NET', 'target.example.net.'],
    ['CNAME', 'web', `web.${ZONE}.`],
    ['CNAME', '@', `${ZONE}.`],
    ['CNAME', 'zürich.example.net', 'xn--zrich-kva.example.net.'],
    ['CNAME', '_acme.example.net.', '_acme.example.net.'],
    ['NS', 'ns1.example.net', 'ns1.example.net.'],
    ['MX', '010  mail', `10 mail.${ZONE}.`],
    ['MX', '0 .', '0 .'],
    ['SRV', '1 2 3 .', '1 2 3 .'],
    ['CAA', '0 ISSUE "ca.example.net"', '0 issue "ca.example.net"'],
    ['CAA', '0 issue ca.example.net', '0 issue "ca.example.net"'],
    ['CAA', '0 issue ""', '0 issue ""'],
    ['TXT', 'v=spf1 -all', '"v=spf1 -all"'],
    ['TXT', '"a" "b"', '"a" "b"'],
    ['TXT', 'a "b" \\ c', '"a \\"b\\" \\\\ c"'],
    ['TXT', '"a\\"b\\092\\065"', '"a\\"b\\\\A"'],
    ['TXT', 'é', '"\\195\\169"'],
    ['TXT', '""', '""'],
    ['TXT', 'x'.repeat(300), `"${'x'.repeat(255)}" "${'x'.repeat(45)}"`],
  ])('%s %s is %s', (type, text, content) => {
    expect(contentOf(type, text)).toBe(content);
    expect(contentOf(type, content)).toBe(content);
  });

  test.each<[RecordType, string]>([
    ['A', '192.0.2'],
    ['A', '0300.0.2.1'],
    ['A', '::1'],
    ['A', '192.0.2.1 192.0.2.2'],
    ['AAAA', '192.0.2.1'],
    ['AAAA', 'fe80::1%eth0'],
    ['AAAA', '1::2::3'],
    ['AAAA', '::256.0.2.1'],
    ['CNAME', '.'],
    ['CNAME', 'a b'],
    ['CNAME', '*.example.net'],
    ['CNAME', 'a\\.b.example.net'],
    ['CNAME', '\\@'],
    ['MX', '10\u00a0mail'],
    ['MX', '10 192.0.2.1'],
    ['NS', '192.0.2.1.'],
    ['CNAME', 'example.123'],
    ['NS', '_a.example.net'],
    ['MX', 'mail'],
    ['MX', '65536 mail'],
    ['MX', '-1 mail'],
    ['MX', '10 .'],
    ['SRV', '1 2 3'],
    ['SRV', '1 2 70000 a'],
    ['CAA', '256 issue "a"'],
    ['CAA', '0 is-sue "a"'],
    ['CAA', '0 issue'],
    ['TXT', '"a'],
    ['TXT', '"a" b'],
    ['TXT', '"\\999"'],
    ['TXT', 'x'.repeat(4_097)],
  ])('%s %s is none', (type, text) =>
    expect(refusal(() => contentOf(type, text))).toMatch(/^content dns_(content|name)_invalid$/),
  );

  test('of a long text is recognized in any spelling', () => {
    const bytes = 'ü'.repeat(2_048);
    const spelled = contentOf('TXT', bytes).replaceAll('" "', '');
    expect(contentOf('TXT', spelled)).toBe(contentOf('TXT', bytes));
  });

  test('has its priority in it or beside it', () => {
    expect(withPriority('MX', 'mail', 5)).toBe('5 mail');
    expect(withPriority('MX', '10 mail', 5)).toBe('5 mail');
    expect(withPriority('SRV', '5 5060 sip', 1)).toBe('1 5 5060 sip');
    expect(refusal(() => withPriority('A', '192.0.2.1', 5))).toBe('priority dns_priority_unused');
  });

  test('follows its zone to another name, and nothing else does', () => {
    expect(moveTarget('MX', `10 mail.${ZONE}.`, ZONE, 'new.example')).toBe('10 mail.new.example.');
    expect(moveTarget('CNAME', `${ZONE}.`, ZONE, 'new.example')).toBe('new.example.');
    expect(moveTarget('CNAME', `not${ZONE}.`, ZONE, 'new.example')).toBe(`not${ZONE}.`);
    expect(moveTarget('TXT', `"${ZONE}."`, ZONE, 'new.example')).toBe(`"${ZONE}."`);
  });
});

describe('a zone file', () => {
  test('is read as name servers read it', () => {
    const file = `
$TTL 2h ; comment
$ORIGIN ${ZONE}.
@       IN SOA ns1 hostmaster ( 1 ; serial
                7200 3600 1209600 300 )
        IN NS  ns1.provider.example.
        3600 IN MX 10 mail
www     A 192.0.2.1
        IN 60 AAAA 2001:db8::1 ; the same owner
mail.${ZONE}. IN A 192.0.2.25
sub     NS ns.other.example.
$ORIGIN sub2.${ZONE}.
a       CNAME @
txt     TXT "one; two" three ( "four"
        "five" )
`;
    expect(parseZoneFile(file, ZONE)).toEqual({
      skipped: 2,
      records: [
        { name: '@', type: 'MX', ttl: 3600, content: `10 mail.${ZONE}.` },
        { name: 'www', type: 'A', ttl: 7200, content: '192.0.2.1' },
        { name: 'www', type: 'AAAA', ttl: 60, content: '2001:db8::1' },
        { name: 'mail', type: 'A', ttl: 7200, content: '192.0.2.25' },
        { name: 'sub', type: 'NS', ttl: 7200, content: 'ns.other.example.' },
        { name: 'a.sub2', type: 'CNAME', ttl: 7200, content: `sub2.${ZONE}.` },
        { name: 'txt.sub2', type: 'TXT', ttl: 7200, content: '"one; two" "three" "four" "five"' },
      ],
    });
  });

  test.each([
    ['$TTL 600', [600, 300, 600]],
    ['@ 1200 SOA ns. host. 1 2 3 4 900', [1200, 300, 300]],
    ['@ SOA ns. host. ( 1 2 3 4 15m )', [900, 300, 900]],
    ['$TTL 600\n@ 1200 SOA ns. host. 1 2 3 4 900', [600, 300, 600]],
    ['@ SOA ns. host. 1 2 3 4 900\n$TTL 600', [600, 300, 600]],
    ['', [3600, 300, 300]],
  ])('after %j has these TTLs where none is written', (start, ttls) => {
    const { records } = parseZoneFile(`${start}\na A 192.0.2.1\nb 300 A 192.0.2.1\nc A 192.0.2.1`, ZONE);
    expect(records.map(({ ttl }) => ttl)).toEqual(ttls);
  });

  test('of a signed zone is read without what signing put into it', () => {
    const file = `@ 0 TYPE65534 \\# 5 0D43500001\n@ 0 NSEC3PARAM 1 0 0 -\n@ 60 CDS 1 13 2 AB\na 60 A 192.0.2.1`;
    expect(parseZoneFile(file, ZONE)).toMatchObject({ skipped: 3, records: [{ name: 'a' }] });
  });

  test('can have the root as its origin', () => {
    const file = `$ORIGIN .\n${ZONE} 60 MX 10 mail.example.net\n$ORIGIN ${ZONE}\nwww 60 CNAME @`;
    expect(parseZoneFile(file, ZONE).records.map(({ name, content }) => [name, content])).toEqual([
      ['@', '10 mail.example.net.'],
      ['www', `${ZONE}.`],
    ]);
  });

  test('without name servers has a placeholder, and says so', () => {
    expect(printZoneFile(ZONE, [], [], 7).split('\n')).toEqual([
      `$ORIGIN ${ZONE}.`,
      '$TTL 3600',
      `@\t3600\tIN\tSOA\tnameserver.invalid. hostmaster.${ZONE}. 7 10800 3600 604800 3600`,
      '; nameserver.invalid is to be replaced by name servers of your own',
      '@\t3600\tIN\tNS\tnameserver.invalid.',
      '',
    ]);
  });

  test('has names and texts in UTF-8', () => {
    const file = `\ufeffbücher A 192.0.2.1
à.dev TXT voilà à\u0085
cafe CNAME zürich.example.net.
$ORIGIN ñandú
* MX 10 mäil
`;
    expect(parseZoneFile(file, ZONE).records.map(({ name, content }) => [name, content])).toEqual([
      ['xn--bcher-kva', '192.0.2.1'],
      ['xn--0ca.dev', '"voil\\195\\160" "\\195\\160\\194\\133"'],
      ['cafe', 'xn--zrich-kva.example.net.'],
      ['*.xn--and-6ma2c', `10 xn--mil-qla.xn--and-6ma2c.${ZONE}.`],
    ]);
  });

  test.each([
    'a\\.b A 192.0.2.1',
    'a\\046b A 192.0.2.1',
    '\\052 A 192.0.2.1',
    '\\@ A 192.0.2.1',
    'b\\195\\188cher A 192.0.2.1',
    'a CNAME b\\.c.example.net.',
    'a SRV 1 2 3 \\.',
    '$ORIGIN a\\.b',
    '$ORIGIN',
    'www\ufeff.\u00a0a A 192.0.2.1',
    'w\ud800 A 192.0.2.1',
  ])('%j has no name', (file) => {
    expect(() => parseZoneFile(file, ZONE)).toThrow(/^Line 1: A name has/);
  });

  test.each([
    ['www A 192.0.2.1\nwww A 192.0.2', 'Line 2: A: This is no IPv4 address.'],
    ['\n\nelsewhere.example. A 192.0.2.1', `Line 3: This name is not in the zone ${ZONE}.`],
    ['$INCLUDE /etc/passwd', 'Line 1: Of the directives only $ORIGIN and $TTL are known.'],
    ['$GENERATE 1-9 a$ A 192.0.2.$', 'Line 1: Of the directives only $ORIGIN and $TTL are known.'],
    ['www 59 A 192.0.2.1', 'Line 1: A TTL is 60 to 86400 seconds.'],
    ['www PTR a', 'Line 1: The type PTR is not supported.'],
    ['a A 192.0.2.1\nwww 60 IN 60 A 192.0.2.1', 'Line 2: A record has one TTL.'],
    ['www IN 60 IN A 192.0.2.1', 'Line 1: A record has one class.'],
    ['www MX 10 192.0.2.1', 'Line 1: MX: The target is a name, and no address.'],
    ['$ORIGIN .\n@ A 192.0.2.1', 'Line 2: A name has'],
    ['$ORIGIN .\nwww A 192.0.2.1', `Line 2: This name is not in the zone ${ZONE}.`],
    ['$ORIGIN .\n$ORIGIN', 'Line 2: A name has'],
    ['www CH A 192.0.2.1', 'Line 1: The type CH is not supported.'],
    ['a TXT "b\nc"', 'Line 1: A quotation mark is not closed.'],
    ['a TXT (b', 'Line 1: A parenthesis is not closed.'],
    ['a TXT b)', 'Line 1: A parenthesis is closed that was not opened.'],
    ['www', 'Line 1: The type  is not supported.'],
  ])('%j is refused with its line', (file, message) => {
    expect(() => parseZoneFile(file, ZONE)).toThrow(message);
  });

  test('of one name and type takes the lowest TTL, and what is there twice once', () => {
    const { records } = parseZoneFile('a 600 A 192.0.2.1\na 300 A 192.0.2.2\na 900 A 192.0.2.1', ZONE);
    expect(records.map(({ ttl, content }) => [ttl, content])).toEqual([
      [300, '192.0.2.1'],
      [300, '192.0.2.2'],
    ]);
  });

  test('that was printed is read as what it was', () => {
    const record = fc.oneof(
      fc
        .string({ unit: 'binary', minLength: 1, maxLength: 300 })
        .map((text) => ({ type: 'TXT' as const, text: text.replace(/^"|\p{Cs}/gu, '') || 'x' })),
      fc.ipV6().map((text) => ({ type: 'AAAA' as const, text })),
      fc.domain().map((text) => ({ type: 'MX' as const, text: `10 ${text}` })),
    );
    fc.assert(
      fc.property(fc.array(record, { maxLength: 8 }), (made) => {
        const records = made.map(({ type, text }, n): StoredRecord => {
          const content = canonicalContent(type, text, qualifyIn(ZONE));
          return { name: n === 0 ? '@' : `*.r${n}`, type, ttl: 60 + n, content };
        });
        const file = printZoneFile(ZONE, ['ns1.provider.example'], records, 7);
        expect(parseZoneFile(file, ZONE)).toEqual({ records, skipped: 2 });
      }),
      { numRuns: 300 },
    );
  });

  test('is read no further than a zone has room for records', () => {
    for (const full of [
      Array.from({ length: 20_001 }, (_, n) => `h${n} A 192.0.2.1\n`).join(''),
      ' A 192.0.2.1\n'.repeat(20_001),
    ]) {
      expect(() => parseZoneFile(`${full}not a record`, ZONE)).toThrow('A zone has at most 20000 records.');
    }
    expect(parseZoneFile(' A 192.0.2.1\n'.repeat(20_000), ZONE).records).toHaveLength(1);
  });

  test('of a megabyte takes no longer than it has to', () => {
    for (const hostile of [
      '(',
      '"',
      '\\',
      ';',
      ' ',
      'a',
      '\n',
      '()',
      'a\\"',
      '1h',
      ' TXT "" ',
      '1 ',
      'IN ',
    ]) {
      const start = performance.now();
      refusal(() => parseZoneFile(hostile.repeat(1_000_000 / hostile.length), ZONE));
      expect(performance.now() - start, hostile).toBeLessThan(10_000);
    }
  });
});

test('changes are what leads from one state to the other, and removals come first', () => {
  const records = fc.array(
    fc.record({
      name: fc.constantFrom('@', 'a', 'b'),
      type: fc.constantFrom('A' as const, 'TXT' as const),
      ttl: fc.constantFrom(60, 300),
      content: fc.constantFrom('x', 'y', 'z'),
    }),
  );
  fc.assert(
    fc.property(records, records, (before, after) => {
      const [actual, desired] = [rrsetsOf(before, ZONE), rrsetsOf(after, ZONE)];
      const state = new Map(actual.map((set) => [`${set.name} ${set.type}`, set]));
      const changes = changesBetween(desired, actual);
      for (const change of changes) {
        const { name, type } = change.after ?? change.before;
        if (change.after === null) state.delete(`${name} ${type}`);
        else state.set(`${name} ${type}`, change.after);
      }
      expect(changesBetween(desired, [...state.values()])).toEqual([]);
      const kinds = changes.map(({ after: to }) => to === null);
      expect(kinds.lastIndexOf(true)).toBe(kinds.filter(Boolean).length - 1);
    }),
  );
});
