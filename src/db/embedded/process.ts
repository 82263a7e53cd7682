import { execFile } from 'node:child_process';
import { readFile, readlink } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { EmbeddedServerError, hasCode } from './error.ts';

const run = promisify(execFile);

export type ProcessFacts = {
  /** when it started, in whatever unit the system has: with the pid it names one process for good */
  start: string;
  /** program and arguments, separated by spaces */
  command: string;
};

/** What the system knows about a process, or undefined when no living process has this pid. */
export function inspect(pid: number): Promise<ProcessFacts | undefined> {
  return process.platform === 'linux' ? inspectProc(pid) : inspectPs(pid);
}

async function inspectProc(pid: number): Promise<ProcessFacts | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // the second field is the program's name in parentheses and may hold anything: count from its end
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, start] = [fields[0], fields[19]];
    // a zombie does nothing any more; pid 1 of a container often never reaps them
    if (state === 'Z' || state === 'X' || start === undefined) return undefined;
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8');
    return { start, command: command.split('\0').join(' ') };
  } catch (error) {
    // ESRCH: it ended between opening and reading
    if (hasCode(error, 'ENOENT', 'ESRCH')) return undefined;
    throw error;
  }
}

/** For systems without /proc, such as macOS. */
export async function inspectPs(pid: number): Promise<ProcessFacts | undefined> {
  const columns = ['-ww', '-o', 'stat=', '-o', 'lstart=', '-o', 'command=', '-p', String(pid)];
  const output = await run('ps', columns, { env: { PATH: '/bin:/usr/bin', LC_ALL: 'C' } }).catch((error) => {
    // ps ends with 1 when it finds no such process
    if (error.code === 1) return { stdout: '' };
    throw error;
  });
  const match = /^\s*(\S+)\s+(\S+\s+\S+\s+\S+\s+\S+\s+\S+)\s+(.*)$/m.exec(output.stdout);
  const [, state, start, command] = match ?? [];
  if (state === undefined || start === undefined || command === undefined || state.startsWith('Z'))
    return undefined;
  return { start, command: `${command} ` };
}

/** Whether this pid is the main process of a PostgreSQL server whose data directory is `cluster`. */
export async function isPostmaster(pid: number, cluster: string): Promise<boolean> {
  const facts = await inspect(pid);
  // its children are titled "postgres: checkpointer" and the like
  if (!facts || !/(^|\/)postgres(\s|$)/.test(facts.command)) return false;
  if (facts.command.includes(` -D ${cluster} `)) return true;
  // the main process works in its data directory: this finds it when the directory has been moved
  return (await workingDirectory(pid)) === cluster;
}

async function workingDirectory(pid: number): Promise<string | undefined> {
  // fails where there is no /proc and for another user's process: then the command line has to do
  return readlink(`/proc/${pid}/cwd`).catch(() => undefined);
}

export type Step = {
  signal: NodeJS.Signals;
  /** how long to wait for the end before the next step, in ms */
  patience: number;
};

/** Ends a process with ever stronger signals. Resolves with whether it has gone. */
export async function endProcess(
  pid: number,
  hasGone: () => boolean | Promise<boolean>,
  steps: Step[],
  onStep: (step: Step) => void,
): Promise<boolean> {
  for (const step of steps) {
    if (await hasGone()) return true;
    onStep(step);
    send(pid, step.signal);
    for (const deadline = Date.now() + step.patience; Date.now() < deadline; await sleep(10)) {
      if (await hasGone()) return true;
    }
  }
  return hasGone();
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (cause) {
    // it ended in this instant
    if (hasCode(cause, 'ESRCH')) return;
    throw new EmbeddedServerError(
      `Process ${pid} has to be stopped, but this process may not. Stop it yourself.`,
      {
        cause,
      },
    );
  }
}
