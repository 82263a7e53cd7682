#!/usr/bin/env node
/*
 * An agent of a Tenantry node: asks every now and then what is to run on this machine, brings that about, and says how
 * it went. Node >= 20, no dependencies. Servers are processes here, which do nothing but run; put in the place of
 * `start`, `stop` and `wipe` whatever runs yours.
 *
 *   TENANTRY_URL=https://panel.example.com TENANTRY_NODE_TOKEN=node_… node node-agent.mjs
 *
 * The token comes from node.create or node.rotateToken. The protocol is in docs/node-agent.md.
 */
import { spawn } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';

const { TENANTRY_URL, TENANTRY_NODE_TOKEN: token, TENANTRY_INTERVAL_SECONDS } = process.env;
if (!TENANTRY_URL || !token) {
  process.stderr.write('Set TENANTRY_URL and TENANTRY_NODE_TOKEN.\n');
  process.exit(2);
}

const AGENT_VERSION = 'example-1';
const REPORTED_AT_ONCE = 1000;
const LONGEST_WAIT_SECONDS = 60;

/** What runs here, by the server's id: its size, its state, and its process while it has one. */
const servers = new Map();
const stopping = new AbortController();

const say = (text) => process.stdout.write(`${text}\n`);

/** Starts what stands for a server. A process that ends by itself has failed. */
function start(server) {
  const megabytes = `--max-old-space-size=${server.memoryMb}`;
  const child = spawn(process.execPath, [megabytes, '-e', 'setInterval(() => {}, 1000)'], {
    stdio: 'ignore',
  });
  server.child = child;
  child.once('spawn', () => {
    if (server.child === child) server.state = 'running';
  });
  child.once('error', () => ended(server, child));
  child.once('exit', () => ended(server, child));
}

function ended(server, child) {
  if (server.child !== child) return;
  server.child = undefined;
  server.state = 'failed';
}

function stop(server) {
  const { child } = server;
  server.child = undefined;
  server.state = 'stopped';
  child?.kill();
}

/** Takes a server away with all that is on it. */
function wipe(id, server) {
  stop(server);
  servers.delete(id);
  say(`removed ${id}`);
}

/** Brings this machine to what is wanted. Removing comes first: its room is promised to others already. */
function reconcile(wanted) {
  const ids = new Set(wanted.map(({ id }) => id));
  for (const [id, server] of servers) if (!ids.has(id)) wipe(id, server);
  for (const { id, desiredState, memoryMb, diskMb, cpuPercent } of wanted) {
    let server = servers.get(id);
    if (server === undefined) {
      server = { state: 'creating' };
      servers.set(id, server);
      say(`made ${id}`);
    }
    const isResized = server.memoryMb !== undefined && server.memoryMb !== memoryMb;
    Object.assign(server, { memoryMb, diskMb, cpuPercent });
    if (server.child !== undefined && (isResized || desiredState === 'stopped')) stop(server);
    if (desiredState === 'running' && server.child === undefined) start(server);
    if (desiredState === 'stopped') server.state = 'stopped';
  }
}

/** Sends part of what there is to say. */
async function send(reports) {
  const response = await fetch(`${TENANTRY_URL}/api/node.heartbeat`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token, agentVersion: AGENT_VERSION, servers: reports }),
    signal: AbortSignal.any([stopping.signal, AbortSignal.timeout(15_000)]),
  });
  const answer = await response.json();
  if (response.ok) return answer;
  if (response.status === 401) {
    process.stderr.write(`${answer.message}\n`);
    process.exitCode = 1;
    stopping.abort(); // a token that is not accepted will not be so later
  }
  throw new Error(`${response.status}: ${answer.message}`);
}

/** Says how every server is, and brings about what the answer wants. Resolves with the seconds until the next time. */
async function beat() {
  const reports = [...servers].map(([id, { state }]) => ({ id, state }));
  let answer;
  do answer = await send(reports.splice(0, REPORTED_AT_ONCE));
  while (reports.length > 0);
  reconcile(answer.servers);
  return answer.nextHeartbeatSeconds;
}

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stopping.abort());

for (let failures = 0; !stopping.signal.aborted; ) {
  let seconds;
  try {
    seconds = await beat();
    if (failures > 0) say('heard again');
    failures = 0;
  } catch (error) {
    if (stopping.signal.aborted) break;
    failures += 1;
    seconds = Math.min(LONGEST_WAIT_SECONDS, 2 ** failures);
    process.stderr.write(`${error.message}; again in ${seconds} s\n`);
  }
  const pause = Number(TENANTRY_INTERVAL_SECONDS ?? seconds) * 1000;
  await wait(pause, undefined, { signal: stopping.signal }).catch(() => {}); // only ever aborted
}
for (const server of servers.values()) stop(server);
