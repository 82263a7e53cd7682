import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { SIZE } from '../api/stage.ts';
import { createHarness, type Harness, type TestUser } from '../support/harness.ts';

/* The example agent does what docs/node-agent.md says, against the service. */

const AGENT = 'docs/examples/node-agent.mjs';
const PATIENCE = { timeout: 15_000, interval: 50 };

let h: Harness;
let root: TestUser;
beforeAll(async () => {
  h = await createHarness();
  root = await h.user();
});
afterAll(() => h[Symbol.asyncDispose]());

function startAgent(token: string) {
  const child = spawn(process.execPath, [AGENT], {
    env: { TENANTRY_URL: h.baseUrl, TENANTRY_NODE_TOKEN: token, TENANTRY_INTERVAL_SECONDS: '0.1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { text: '' };
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output.text += chunk.toString();
    });
  }
  const ended = once(child, 'close') as Promise<[number | null]>;
  onTestFinished(() => void child.kill('SIGKILL'));
  return { child, output, ended };
}

const addNode = async (name = 'n1') => {
  const capacity = { memoryMb: 4096, diskMb: 8192, cpuPercent: 400 };
  return (await root.post('node.create', { name, pool: 'free', ...capacity })).body;
};

test('the agent enrols, makes a server, runs it, stops it, starts it again and takes it away', async () => {
  const [{ id: nodeId, token }, org] = [await addNode(), await h.organization()];
  const agent = startAgent(token);
  await vi.waitFor(async () => {
    expect((await root.get('node.one', { nodeId })).body).toMatchObject({
      online: true,
      agentVersion: 'example-1',
    });
  }, PATIENCE);

  const placed = await org.owner.post('server.create', { organizationId: org.id, name: 'web', ...SIZE });
  expect(placed.body).toMatchObject({ nodeId, state: 'creating' });
  const serverId = placed.body.id;
  const reaches = (state: string) =>
    vi.waitFor(async () => {
      expect((await org.owner.get('server.one', { serverId })).body.state).toBe(state);
    }, PATIENCE);
  await reaches('running');
  await org.owner.post('server.setState', { serverId, state: 'stopped' });
  await reaches('stopped');
  await org.owner.post('server.setState', { serverId, state: 'running' });
  await reaches('running');
  await org.owner.post('server.remove', { serverId });
  await vi.waitFor(() => expect(agent.output.text).toContain(`removed ${serverId}`), PATIENCE);

  agent.child.kill('SIGTERM');
  expect(await agent.ended).toEqual([0, null]);
  expect(agent.output.text).not.toContain(token);
});

test('the agent gives up when its token is accepted no more', async () => {
  const agent = startAgent('node_of-nobody');
  expect(await agent.ended).toEqual([1, null]);
  expect(agent.output.text).toContain('This node token is unknown or was replaced.');
});

test('the agent ends with what it runs when its token is replaced', async () => {
  const [{ id: nodeId, token }, org] = [await addNode('n2'), await h.organization()];
  const agent = startAgent(token);
  await vi.waitFor(async () => {
    const input = { organizationId: org.id, name: 'web', ...SIZE, nodeId };
    expect((await org.owner.post('server.create', input)).status).toBe(200);
  }, PATIENCE);
  const { pid } = agent.child;
  const [server] = await vi.waitFor(async () => {
    const children = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim().split(' ');
    expect(children).toEqual([expect.stringMatching(/^\d+$/)]);
    return children.map(Number);
  }, PATIENCE);
  await root.post('node.rotateToken', { nodeId });
  expect(await agent.ended).toEqual([1, null]);
  await vi.waitFor(() => expect(() => process.kill(server ?? 0, 0)).toThrow('ESRCH'), PATIENCE);
});

test('the agent is short, and needs nothing but Node', async () => {
  const source = await readFile(AGENT, 'utf8');
  expect(source.split('\n').length).toBeLessThan(150);
  const imports = [...source.matchAll(/from '([^']+)'/g)].map(([, name]) => name);
  expect(imports.filter((name) => name?.startsWith('node:') !== true)).toEqual([]);
});
