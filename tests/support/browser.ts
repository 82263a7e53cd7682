import { type Harness, httpCaller, type Reply } from './harness.ts';

/** Keeps cookies as a browser does: what is set is sent back until it is cleared. */
export function cookieJar() {
  const cookies = new Map<string, string>();
  return {
    cookies,
    keep(headers: Headers) {
      for (const line of headers.getSetCookie()) {
        const [pair = '', ...attributes] = line.split('; ');
        const at = pair.indexOf('=');
        const name = pair.slice(0, at);
        if (attributes.includes('Max-Age=0')) cookies.delete(name);
        else cookies.set(name, pair.slice(at + 1));
      }
    },
    header: () => [...cookies].map(([name, value]) => `${name}=${value}`).join('; '),
  };
}

export const SESSION_COOKIE = 'better-auth.session_token';
export const TWO_FACTOR_COOKIE = 'better-auth.two_factor';

/** A caller that keeps cookies; `headers` go with every request. */
export function browser(h: Harness, headers: Record<string, string> = {}) {
  const jar = cookieJar();
  const sent: Record<string, string> = { ...headers };
  const caller = httpCaller(h.baseUrl, sent);
  const keeping = async (request: () => Promise<Reply>): Promise<Reply> => {
    sent.cookie = jar.header();
    const reply = await request();
    jar.keep(reply.headers);
    return reply;
  };
  return {
    cookies: jar.cookies,
    get: (...args: Parameters<typeof caller.get>) => keeping(() => caller.get(...args)),
    post: (...args: Parameters<typeof caller.post>) => keeping(() => caller.post(...args)),
    send: (...args: Parameters<typeof caller.send>) => keeping(() => caller.send(...args)),
    signIn: (email: string, password: string, more: object = {}) =>
      keeping(() => caller.post('auth/sign-in/email', { email, password, ...more })),
  };
}
export type Browser = ReturnType<typeof browser>;
