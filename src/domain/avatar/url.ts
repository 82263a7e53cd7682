import type { Rules } from '../deps.ts';

/** What a picture is called in the storage and in its URL. */
export const avatarName = (hash: string): string => `${hash}.webp`;

type UrlRules = Pick<Rules, 'publicUrl'>;

/** Where everybody can see a picture; null for who has none. Another picture has another URL. */
export function avatarUrl(rules: UrlRules, hash: string): string;
export function avatarUrl(rules: UrlRules, hash: string | null): string | null;
export function avatarUrl({ publicUrl }: UrlRules, hash: string | null): string | null {
  return hash === null ? null : `${publicUrl}/avatars/${avatarName(hash)}`;
}
