import { existsSync } from 'node:fs';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { expect } from 'vitest';
import { createHarness, UNLIMITED } from './harness.ts';
import { freePort } from './service.ts';

const EXECUTABLE = '/usr/bin/chromium';
/** As root in a container, and with nothing of its own to fetch. */
const FLAGS = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
];
const PATIENCE_MS = 15_000;

/** What is missing for these tests; undefined when nothing is. */
export const missing = existsSync(EXECUTABLE) ? undefined : `there is no ${EXECUTABLE}`;

const DIRECTORY = new URL('../../dist/console', import.meta.url).pathname;

/** The service with its console, at the address that a browser has to use: a session is only taken from there. */
export async function createConsoleHarness() {
  const PORT = String(await freePort());
  const PUBLIC_URL = `http://localhost:${PORT}`;
  const h = await createHarness(
    { PORT, PUBLIC_URL },
    { consoleDirectory: DIRECTORY, rateLimiter: UNLIMITED },
  );
  return { ...h, url: PUBLIC_URL };
}

export type Visitor = {
  page: Page;
  /** What the browser complained about: refusals of the page's policy, and errors nobody caught. */
  complaints: string[];
};

/** A browser, and people in it who share nothing. */
export async function openChromium(baseUrl: string) {
  const browser: Browser = await chromium.launch({ executablePath: EXECUTABLE, args: FLAGS });
  return {
    async visitor(options: BrowserContextOptions = {}): Promise<Visitor> {
      const context = await browser.newContext({ baseURL: baseUrl, viewport: WIDE, ...options });
      context.setDefaultTimeout(PATIENCE_MS);
      const [page, complaints] = [await context.newPage(), [] as string[]];
      page.on('pageerror', (error) => complaints.push(error.message));
      page.on('console', (message) => {
        // a refused call is said on the page; the browser says it again here
        const isAnswer = /Failed to load resource/.test(message.text());
        if (message.type() === 'error' && !isAnswer) complaints.push(message.text());
      });
      return { page, complaints };
    },
    [Symbol.asyncDispose]: () => browser.close(),
  };
}

export const WIDE = { width: 1280, height: 800 };
export const NARROW = { width: 360, height: 740 };

/** Whoever has this session. */
export async function enter({ page }: Visitor, url: string, cookie: string): Promise<void> {
  const at = cookie.indexOf('=');
  await page.context().addCookies([{ name: cookie.slice(0, at), value: cookie.slice(at + 1), url }]);
}

/** Resolves when the page says it. */
export const says = (page: Page, text: string | RegExp) => page.getByText(text).first().waitFor();

/** Fills in a form by its labels. */
export async function fill(page: Page, values: Record<string, string>): Promise<void> {
  for (const [label, value] of Object.entries(values))
    await page.getByLabel(label, { exact: true }).fill(value);
}

export const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click();

/** Goes to a page by the navigation, and waits until it shows. */
export async function go(page: Page, name: string, title = name): Promise<void> {
  await page.getByRole('navigation').getByRole('link', { name, exact: true }).click();
  await page.getByRole('heading', { level: 1, name: title }).waitFor();
}

export async function signIn(page: Page, email: string, password: string): Promise<void> {
  await page.goto('/sign-in');
  await fill(page, { 'E-mail': email, Password: password });
  await press(page, 'Sign in');
}

export const expectNoComplaints = (...visitors: Visitor[]) =>
  expect(visitors.flatMap(({ complaints }) => complaints)).toEqual([]);
