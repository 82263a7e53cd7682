import { createContext, runInContext } from 'node:vm';
import { expect } from 'vitest';
import { type Browser, browser } from './browser.ts';
import type { Harness } from './harness.ts';

type Control = { value: string };
type Listener = (event: object) => Promise<void>;

/**
 * Opens one of the pages of mails, running its script on as much of a browser as it uses. `press` fills the form of a
 * button in and presses it.
 */
export async function openPage(h: Harness, path: string, visitor: Browser = browser(h)) {
  const url = new URL(path, h.baseUrl);
  const { text: html } = await visitor.send(url.pathname + url.search, {});
  const { text: script } = await visitor.send(/<script src="([^"]+)" defer>/.exec(html)?.[1] ?? '', {});
  const message = { textContent: /<p id="message"[^>]*>([^<]*)</.exec(html)?.[1] ?? '' };
  const forms = [...html.matchAll(/<form id="(\w+)"( hidden)?>(.*?)<\/form>/gs)].map(
    ([, id = '', hidden, inner = '']) => {
      const names = [...inner.matchAll(/<input name="(\w+)"/g)].map(([, name = '']) => name);
      const listeners: Listener[] = [];
      return {
        id,
        hidden: hidden !== undefined,
        buttons: [...inner.matchAll(/<button name="action" value="([^"]+)"/g)].map(([, value]) => value),
        elements: Object.fromEntries(names.map((name): [string, Control] => [name, { value: '' }])),
        listeners,
        addEventListener: (_type: 'submit', listener: Listener) => listeners.push(listener),
      };
    },
  );
  let pending = 0;
  const fetchHere = async (target: string, init: RequestInit = {}) => {
    pending += 1;
    const { status, body } = await visitor.send(target, init);
    pending -= 1;
    return { ok: status === 200, json: async () => body };
  };
  const document = { forms, getElementById: () => message };
  runInContext(
    script,
    createContext({ document, location: url, URLSearchParams, encodeURIComponent, fetch: fetchHere }),
  );
  return {
    message,
    /** The form that is to be seen. */
    shown: () => forms.filter(({ hidden }) => !hidden).map(({ id }) => id),
    /** Resolves when the page says what it should. */
    says: (text: string | RegExp) =>
      expect.poll(() => message.textContent, { timeout: 10_000 }).toMatch(text),
    async press(button: string, values: Record<string, string> = {}) {
      const form = forms.find(({ buttons }) => buttons.includes(button));
      if (form === undefined || form.hidden) throw new Error(`There is no button ${button}.`);
      for (const [name, value] of Object.entries(values)) {
        const control = form.elements[name];
        if (control === undefined) throw new Error(`There is no field ${name}.`);
        control.value = value;
      }
      const submitter = { value: button, disabled: false };
      for (const listener of form.listeners) await listener({ preventDefault() {}, submitter });
      expect(submitter.disabled).toBe(false);
      expect(pending).toBe(0);
    },
  };
}
