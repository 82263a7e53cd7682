import { expect, test, vi } from 'vitest';
import { createHarness, times, UNLIMITED } from '../support/harness.ts';
import { createPowerDnsServer, missingForPowerDns } from '../support/powerdns.ts';
import { faultRoundsOf, tell } from '../support/rounds.ts';

const ROUNDS = faultRoundsOf(2);
const RECORDS = 20;
const LATER = { timeout: 30_000, interval: 50 };

const missing = missingForPowerDns();
const name = 'PowerDNS stopped and killed among changes, and back: it has all of them';
test.skipIf(missing !== undefined)(
  missing === undefined ? name : `${name} (${missing})`,
  async () => {
    const pdns = await createPowerDnsServer();
    await using _pdns = pdns;
    await using h = await createHarness(pdns.settings, { rateLimiter: UNLIMITED });
    const owner = await h.user();
    const { body } = await owner.post('organization.create', { name: 'Acme', handle: 'acme.example' });
    const [zone] = (await owner.get('dnsZone.all', { organizationId: body.id })).body.items;
    const expected: string[] = [];
    const recoveries: number[] = [];
    for (const round of times(ROUNDS, (n) => n)) {
      for (const n of times(RECORDS, (i) => i)) {
        if (n === RECORDS / 2) await pdns.stop(round % 2 === 0 ? 'SIGTERM' : 'SIGKILL');
        const record = { name: `r${round}-${n}`, type: 'TXT', content: `text ${n}` };
        const { status } = await owner.post('dnsRecord.create', {
          organizationId: body.id,
          zoneId: zone.id,
          ...record,
        });
        expect(status).toBe(200);
        expected.push(`${record.name}.${zone.name}. TXT "${record.content}"`);
      }
      await pdns.start();
      const back = performance.now();
      await vi.waitFor(async () => expect(await pdns.transfer(zone.name)).toEqual(expected.sort()), LATER);
      recoveries.push(performance.now() - back);
    }
    const faults = h.logLines.filter((line) => line.includes('request failed')).length;
    tell('PowerDNS stopped and killed', {
      rounds: ROUNDS,
      requests: expected.length,
      lost: 0,
      'answered 500': faults,
      'slowest recovery in ms': Math.max(...recoveries),
    });
    expect(faults).toBe(0);
  },
  600_000,
);
