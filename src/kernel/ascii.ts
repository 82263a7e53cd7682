/** In lower case as DNS has it, letters beyond ASCII left alone: toLowerCase turns the Kelvin sign into a k. */
export const lowerAscii = (text: string): string =>
  text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
