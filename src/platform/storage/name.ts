const NAME = /^[0-9a-z]+\.[a-z]{1,8}$/;

/** @throws Error for a name that could lead elsewhere, such as `../x`: none is ever made of what a caller sends. */
export function requireName(name: string): string {
  if (!NAME.test(name)) throw new Error('This is not the name of a stored file.');
  return name;
}
