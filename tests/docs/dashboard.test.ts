import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { createHarness } from '../support/harness.ts';

const TOKEN = 'a-token-for-metrics';
type Panel = { title: string; targets: { expr: string }[] };
type Dashboard = { panels: Panel[]; templating: { list: { definition?: string }[] } };

/** Words of PromQL that are followed by no parenthesis, and the labels that expressions group by. */
const WORDS = new Set(['sum', 'max', 'by', 'le', 'or', 'status', 'procedure', 'state', 'instance']);

/** The names of metrics in an expression, without its strings, its functions and the labels in its selectors. */
const metricsOf = (expression: string): string[] =>
  (expression.replace(/\{[^}]*\}|\[[^\]]*\]/g, '').match(/\b[a-z_]\w*\b(?! *\()/gi) ?? []).filter(
    (word) => !WORDS.has(word),
  );

test('every metric and label of the dashboard is there', async () => {
  const dashboard = JSON.parse(await readFile('docs/grafana-dashboard.json', 'utf8')) as Dashboard;
  const asked = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
  const variables = dashboard.templating.list.flatMap(({ definition = '' }) =>
    [...definition.matchAll(/^label_values\((\w+)/g)].map(([, metric = '']) => metric),
  );
  await using h = await createHarness({ METRICS_TOKEN: TOKEN });
  await h.anonymous.get('portal.tiers');
  const { text } = await h.anonymous.send('/metrics', { headers: { authorization: `Bearer ${TOKEN}` } });
  const there = new Set([...text.matchAll(/^(\w+)(?:\{| )/gm)].map(([, name]) => name));

  const names = asked.flatMap(metricsOf);
  expect(names.length).toBeGreaterThanOrEqual(asked.length);
  expect([...new Set([...names, ...variables])].filter((name) => !there.has(name))).toEqual([]);

  const given = new Set([...text.matchAll(/[{,](\w+)=/g)].map(([, label]) => label));
  const labels = asked.flatMap((expr) => [
    ...[...expr.matchAll(/(\w+)(?:=|!=|=~|!~)"/g)].map(([, label = '']) => label),
    ...[...expr.matchAll(/by \((\w+)\)/g)].map(([, label = '']) => label),
  ]);
  const ofPrometheus = 'instance';
  expect([...new Set(labels)].filter((label) => label !== ofPrometheus && !given.has(label))).toEqual([]);
});

test('each panel has a name and a place of its own', async () => {
  const { panels } = JSON.parse(await readFile('docs/grafana-dashboard.json', 'utf8')) as {
    panels: { id: number; title: string; gridPos: { x: number; y: number } }[];
  };
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  expect(new Set(panels.map(({ title }) => title)).size).toBe(panels.length);
  expect(new Set(panels.map(({ gridPos }) => `${gridPos.x} ${gridPos.y}`)).size).toBe(panels.length);
});
