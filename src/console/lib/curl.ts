/** One call over plain HTTP, as the console has made it or would make it. */
export type Call = { method: 'GET' | 'POST'; path: string; input: unknown; isForm?: boolean };

/** What is better not left in a shell's history, nor on a screen. */
const SECRET = /password|token|privateKey|^code$/i;

/** A word that no shell takes apart. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

const asText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

function search(input: unknown): string {
  const given = Object.entries((input ?? {}) as object).filter(([, value]) => value !== undefined);
  const parameters = new URLSearchParams(
    given.map(([name, value]): [string, string] => [name, SECRET.test(name) ? '…' : asText(value)]),
  );
  return parameters.size === 0 ? '' : `?${parameters}`;
}

/** What makes a session, and needs none. */
const STARTS = ['auth/sign-in/email', 'auth/sign-up/email'];

/** API keys sign nobody in and change no second factor: that takes the cookie, here in a file. */
function credentialsFor(path: string): string {
  if (!path.startsWith('auth/')) return '-H "x-api-key: $TENANTRY_KEY"';
  return STARTS.includes(path) ? '-c cookies.txt' : '-b cookies.txt -c cookies.txt';
}

/** A command that does the same with an API key in `$TENANTRY_KEY`, or with a session in `cookies.txt` where no key does. */
export function curlOf({ method, path, input, isForm = false }: Call, origin: string): string {
  const key = credentialsFor(path);
  if (method === 'GET') return `curl ${quoted(`${origin}/api/${path}${search(input)}`)} ${key}`;
  if (isForm) {
    const fields = Object.entries((input ?? {}) as object).map(([name, value]) => quoted(`${name}=${value}`));
    const parts = [...fields, 'file=@picture.png'].map((part) => `-F ${part}`);
    return `curl ${parts.join(' ')} ${origin}/api/${path} ${key}`;
  }
  const body = JSON.stringify(input ?? {}, (name, value) =>
    typeof value === 'string' && SECRET.test(name) ? '…' : value,
  );
  return `curl -X POST ${origin}/api/${path} ${key} \\\n  -H 'content-type: application/json' -d ${quoted(body)}`;
}
