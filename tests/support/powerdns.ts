import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { vi } from 'vitest';
import { freePort } from './service.ts';

const run = promisify(execFile);
const SCHEMA = '/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql';
const SERVER = '/usr/sbin/pdns_server';
export const API_KEY = 'a-key-of-powerdns-for-tests';

/** Why these tests cannot be run here; undefined when they can. */
export function missingForPowerDns(): string | undefined {
  if (!existsSync(SERVER)) return 'pdns-server is not installed';
  if (!existsSync(SCHEMA)) return 'pdns-backend-sqlite3 is not installed';
  for (const tool of ['dig', 'sqlite3']) {
    if (!existsSync(`/usr/bin/${tool}`)) return `${tool} is not installed`;
  }
  return undefined;
}

/** A real PowerDNS on loopback with a database of its own, which can be stopped, killed and started again. */
export async function createPowerDnsServer() {
  const directory = await mkdtemp(join(tmpdir(), 'tenantry-pdns-'));
  const [port, apiPort] = [await freePort(), await freePort()];
  const database = join(directory, 'pdns.sqlite3');
  execFileSync('sqlite3', [database], { input: `${readFileSync(SCHEMA, 'utf8')}\npragma journal_mode=wal;` });
  const settings = {
    launch: 'gsqlite3',
    'gsqlite3-database': database,
    'gsqlite3-dnssec': 'yes',
    'local-address': '127.0.0.1',
    'local-port': port,
    api: 'yes',
    'api-key': API_KEY,
    webserver: 'yes',
    'webserver-address': '127.0.0.1',
    'webserver-port': apiPort,
    'webserver-allow-from': '127.0.0.0/8',
    'disable-axfr': 'no',
    'allow-axfr-ips': '127.0.0.0/8',
    'socket-dir': directory,
    // What was asked before must not hide what is there now.
    'cache-ttl': 0,
    'negquery-cache-ttl': 0,
    'query-cache-ttl': 0,
    'zone-cache-refresh-interval': 0,
    'consistent-backends': 'no',
    guardian: 'no',
    daemon: 'no',
    loglevel: 3,
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
  await writeFile(join(directory, 'pdns.conf'), `${lines.join('\n')}\n`);
  const url = `http://127.0.0.1:${apiPort}`;
  let child: ChildProcess | undefined;

  const api = (method: string, path: string, body?: object) =>
    fetch(`${url}/api/v1/servers/localhost${path}`, {
      method,
      headers: { 'x-api-key': API_KEY },
      body: body === undefined ? null : JSON.stringify(body),
    });

  async function start(): Promise<void> {
    const started = spawn(SERVER, [`--config-dir=${directory}`], { stdio: 'ignore' });
    child = started;
    await vi.waitFor(async () => {
      if (started.exitCode !== null) throw new Error(`pdns_server ended with ${started.exitCode}`);
      if (!(await api('GET', '')).ok) throw new Error('not yet');
    }, 10_000);
  }
  async function stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const running = child;
    child = undefined;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    running.kill(signal);
    await once(running, 'exit');
  }

  /** The answers of dig, one a line as `name type content`, in order. */
  async function dig(name: string, type: string): Promise<string[]> {
    const options = [
      '@127.0.0.1',
      '-p',
      String(port),
      '+noall',
      '+answer',
      '+norecurse',
      '+time=2',
      '+tries=1',
    ];
    const { stdout } = await run('dig', [...options, name, type], { maxBuffer: 1 << 26 });
    return stdout
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith(';'))
      .map((line) => line.split(/\s+/))
      .map(([owner = '', , , kind = '', ...content]) => `${owner} ${kind} ${content.join(' ')}`)
      .sort();
  }

  await start();
  return {
    url,
    port,
    /** What points the service to it. */
    settings: {
      POWERDNS_API_URL: url,
      POWERDNS_API_KEY: API_KEY,
      DNS_NAMESERVERS: 'ns1.platform.test,ns2.platform.test',
    },
    api,
    /** Leaves what is left of a zone of ours when the server is killed in the middle of making it. */
    leaveHalfMade(zone: string): void {
      const insert = `insert into domains (name, type, account) values ('${zone}', 'NATIVE', 'tenantry')`;
      execFileSync('sqlite3', ['-cmd', '.timeout 5000', database, insert]);
    },
    start,
    stop,
    dig,
    /** The contents that dig shows for a name and type. */
    async contents(name: string, type: string): Promise<string[]> {
      const answers = await dig(name, type);
      return answers.flatMap((line) => {
        const [, kind, ...content] = line.split(' ');
        return kind === type ? [content.join(' ')] : [];
      });
    },
    /** Everything but the SOA and the zone's own name servers, as `name type content`. */
    async transfer(zone: string): Promise<string[]> {
      const lines = await dig(zone, 'AXFR');
      return [...new Set(lines)].filter((line) => !/ SOA /.test(line) && !line.startsWith(`${zone}. NS `));
    },
    async [Symbol.asyncDispose]() {
      await stop('SIGKILL');
      await rm(directory, { recursive: true, force: true });
    },
  };
}
export type PowerDnsServer = Awaited<ReturnType<typeof createPowerDnsServer>>;
