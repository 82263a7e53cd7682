import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';

/**
 * Who may import whom. `ports` are the files that lie directly in domain/: types that the outside implements or
 * reads. The files directly in src/ put the service together and may import everything.
 */
const MAY_IMPORT: Record<string, string[]> = {
  kernel: [],
  db: ['kernel'],
  ports: ['kernel', 'db'],
  domain: ['kernel', 'db', 'ports'],
  platform: ['kernel', 'ports'],
  auth: ['kernel', 'db', 'domain', 'ports'],
  api: ['kernel', 'domain', 'ports'],
  jobs: ['kernel', 'db', 'domain', 'ports'],
  http: ['kernel', 'auth', 'api', 'ports'],
  client: ['api'],
  console: ['kernel', 'client'],
};

const MAX_LINES = 400;
/** Everything that the console says: a list, which nobody reads from one end to the other. */
const WORDS = 'src/console/texts.ts';

const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((file) => /\.tsx?$/.test(file))
  .map((file) => `src/${file}`);

const layerOf = (path: string): string => {
  const [, layer = '', second = ''] = path.split('/');
  if (layer === 'domain' && second.endsWith('.ts')) return 'ports';
  return layer;
};

/** Relative imports of a file, as paths from the root. */
const importsOf = (file: string): string[] =>
  [...readFileSync(file, 'utf8').matchAll(/(?:from|import) '(\.[^']+)'/g)].map(([, target = '']) =>
    normalize(join(dirname(file), target)),
  );

describe.each(files)('%s', (file) => {
  const layer = layerOf(file);
  const allowed = MAY_IMPORT[layer];

  test.skipIf(allowed === undefined)('imports only what its layer may', () => {
    const foreign = importsOf(file)
      .map(layerOf)
      .filter((target) => target !== layer && !allowed?.includes(target));
    expect(foreign).toEqual([]);
  });

  test.skipIf(layer === 'domain' && file.endsWith('/index.ts'))(
    'reaches other nouns of the domain by their face',
    () => {
      const noun = dirname(file);
      const inside = importsOf(file).filter(
        (target) => layerOf(target) === 'domain' && dirname(target) !== noun && !target.endsWith('/index.ts'),
      );
      expect(inside).toEqual([]);
    },
  );

  test.skipIf(file === WORDS)('is short enough to be read', () => {
    expect(readFileSync(file, 'utf8').split('\n').length).toBeLessThanOrEqual(MAX_LINES);
  });
});

const namesIn = (list = '') =>
  list
    .split(',')
    .map((name) => /^\s*(?:type )?(\w+)/.exec(name)?.[1])
    .filter((name) => name !== undefined);

test('the faces of the domain offer nothing that nobody takes', () => {
  const readers = ['src', 'tests', 'bench'].flatMap((root) =>
    readdirSync(root, { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.tsx?$/.test(file))
      .map((file) => `${root}/${file}`),
  );
  const taken = new Set(
    readers.flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(/\{([^{}]*)\} from '(\.[^']+)'/g)].flatMap(
        ([, names, target = '']) =>
          namesIn(names).map((name) => `${normalize(join(dirname(file), target))} ${name}`),
      ),
    ),
  );
  const faces = files.filter((file) => /^src\/domain\/[^/]+\/index\.ts$/.test(file));
  const offered = faces.flatMap((face) =>
    [
      ...readFileSync(face, 'utf8').matchAll(
        /^export (?:type )?(?:\{([^}]*)\}|(?:async )?(?:function |const )?(\w+))/gm,
      ),
    ].flatMap(([, names, name]) => namesIn(names ?? name).map((one) => `${face} ${one}`)),
  );
  expect(offered.length).toBeGreaterThan(150);
  expect(offered.filter((one) => !taken.has(one))).toEqual([]);
});

test('what is large and seldom used is loaded only where it is', () => {
  const textOf = (file: string) => readFileSync(file, 'utf8');
  expect(files.filter((file) => textOf(file).includes("'@opentelemetry/"))).toEqual([
    'src/platform/tracing.ts',
  ]);
  expect(files.filter((file) => /from '.*platform\/tracing\.ts'/.test(textOf(file)))).toEqual([]);
});

/** Sets it, for the library that it builds with. */
const TOOLS = ['src/console/build.ts'];

test('nothing of Node gets into the browser but what has a stand-in there', () => {
  const queue = ['src/console/main.tsx'];
  for (const file of queue) {
    const text = readFileSync(file, 'utf8');
    expect([file, ...(text.match(/from 'node:(?!url')[^']+'|\b(?:Buffer|process)\.\w/g) ?? [])]).toEqual([
      file,
    ]);
    const imports = [...text.matchAll(/(?:from|import\(|import) ?'(\.[^']+)'/g)];
    const types = new Set(
      [...text.matchAll(/import type [^;]* from '([^']+)'/g)].map(([, target]) => target),
    );
    for (const [, target = ''] of imports) {
      const path = normalize(join(dirname(file), target));
      if (!types.has(target) && /\.tsx?$/.test(path) && !queue.includes(path)) queue.push(path);
    }
  }
  expect(queue.length).toBeGreaterThan(70);
});

test('process.env is read in one place', () => {
  const readers = files.filter(
    (file) => !TOOLS.includes(file) && /process\.env\b/.test(readFileSync(file, 'utf8')),
  );
  // config.ts is handed the environment by these
  expect(readers.sort()).toEqual(['src/cli/index.ts', 'src/main.ts']);
});
