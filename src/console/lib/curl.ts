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

/** A command that does the same with an API key in `$TENANTRY_KEY`. */
export function curlOf({ method, path, input, isForm = false }: Call, origin: string): string {
  const key = `-H "x-api-key: $TENANTRY_KEY"`;
  if (method === 'GET') return `curl ${quoted(`${origin}/api/${path}${search(input)}`)} ${key}`;
  if (isForm) return `curl -F file=@picture.png ${origin}/api/${path} ${key}`;
  const body = JSON.stringify(input ?? {}, (name, value) =>
    typeof value === 'string' && SECRET.test(name) ? '…' : value,
  );
  return `curl -X POST ${origin}/api/${path} ${key} \\\n  -H 'content-type: application/json' -d ${quoted(body)}`;
}
