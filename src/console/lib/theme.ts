import { THEMES } from '../../kernel/vocabulary.ts';

export type Theme = (typeof THEMES)[number];

const KEY = 'tenantry.theme';

/** The theme this browser showed last, so that it is right before the account is read. */
export const storedTheme = (): Theme =>
  THEMES.find((theme) => theme === localStorage.getItem(KEY)) ?? 'system';

/** Shows the console in light or dark; `system` follows the browser. */
export function applyTheme(theme: Theme): void {
  localStorage.setItem(KEY, theme);
  document.documentElement.dataset.theme = theme;
}
