import { execFile } from 'node:child_process';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { startService, temporaryDirectory } from '../support/service.ts';

const run = promisify(execFile);
const BLOCK = /```console\n([\s\S]*?)```/g;
const MARK = '\u0001';

/** What differs from run to run, by its kind. */
const stable = (text: string): string =>
  text
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f-]{21}/g, '<id>')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>')
    .replace(/tenantry_[\w-]{43}/g, '<key>')
    .replace(/tenantry_[\w-]{6}/g, '<start>')
    .replace(/-[a-z0-9]{8}"/g, '-<suffix>"')
    .replace(/tunnel_[\w-]{43}/g, '<device token>')
    .replace(/"deviceCode": "[\w-]{43}"/g, '"deviceCode": "<device code>"')
    .replace(/[B-Z]{4}-[B-Z]{4}/g, '<user code>')
    .replace(/[a-z0-9]{5}-[a-z0-9]{5}/g, '<recovery code>')
    .replace(/secret=[A-Z2-7]{32}/g, 'secret=<secret>')
    .replace(/SHA256:[\w+/]{43}/g, '<fingerprint>')
    .replace(/AAAA[\w+/=]{20,}/g, '<public key>')
    .replace(/[0-9a-f]{64}/g, '<hash>')
    .replace(/"age": \d+/g, '"age": <years>');

/** JSON as people read it, in one line where it is short; anything else as it is. */
function pretty(text: string): string {
  try {
    const value: unknown = JSON.parse(text);
    const line = JSON.stringify(value);
    return line.length < 80 ? line : JSON.stringify(value, null, 2);
  } catch {
    return text.trimEnd();
  }
}

type Step = { command: string; output: string };

const stepsOf = (block: string): Step[] =>
  block
    .split(/^\$ /m)
    .slice(1)
    .map((step) => {
      const lines = step.trimEnd().split('\n');
      const more = lines.slice(1).findIndex((line) => !line.startsWith('> ')) + 1 || lines.length;
      const command = lines.slice(0, more).map((line) => line.replace(/^> /, ''));
      return { command: command.join('\n'), output: lines.slice(more).join('\n') };
    });

/** Runs the tour's commands in one shell, one after another, and resolves with what each of them printed. */
async function printed(commands: string[], port: string, directory: string): Promise<string[]> {
  const script = commands
    .map((command) => `${command.replaceAll('localhost:3000', `127.0.0.1:${port}`)}\nprintf '${MARK}'`)
    .join('\n');
  const { stdout } = await run('bash', ['-e', '-c', script], { cwd: directory });
  const asWritten = stdout.replaceAll(`localhost:${port}`, 'localhost:3000');
  return asWritten.split(MARK).slice(0, -1).map(pretty);
}

/** UPDATE_README=1 writes what the commands print now into the file. */
test.each(['README.md', 'docs/tunnels.md'])(
  '%s runs as written and prints what it says',
  { timeout: 240_000 },
  async (file) => {
    const directory = await temporaryDirectory();
    const service = await startService({
      ROOT_EMAIL: 'root@example.org',
      ROOT_PASSWORD: 'Correct-horse-1',
      DATA_DIR: `${directory}/data`,
    });
    onTestFinished(async () => {
      await service.end('SIGTERM');
      await rm(directory, { recursive: true, force: true });
    });
    const readme = await readFile(file, 'utf8');
    const steps = [...readme.matchAll(BLOCK)].flatMap(([, block = '']) => stepsOf(block));
    const outputs = await printed(
      steps.map(({ command }) => command),
      new URL(service.baseUrl).port,
      directory,
    );
    expect((await readdir(directory)).sort()).toEqual(['data', 'tour']);

    if (process.env.UPDATE_README === '1') {
      let next = 0;
      const updated = readme.replace(BLOCK, (_all, block: string) => {
        const lines = stepsOf(block).map(({ command }) =>
          `$ ${command.replaceAll('\n', '\n> ')}\n${outputs[next++] ?? ''}`.trimEnd(),
        );
        return `\`\`\`console\n${lines.join('\n')}\n\`\`\``;
      });
      await writeFile(file, updated);
      return;
    }
    const expected = steps.map(({ command, output }) => `$ ${command}\n${stable(pretty(output))}`);
    const actual = steps.map(({ command }, index) => `$ ${command}\n${stable(outputs[index] ?? '')}`);
    expect(actual).toEqual(expected);
  },
);
