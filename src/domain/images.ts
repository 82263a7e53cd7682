/** Reads pictures that strangers sent. */
export type Images = {
  /**
   * Makes an avatar of a PNG, JPEG or WebP file: 256×256 WebP, upright, cut from the middle, without metadata; of the
   * first frame of an animation, and of the first of several JPEGs. The same file gives the same bytes.
   *
   * @throws BAD_REQUEST naming `file` for anything else, for what is damaged or has other data around it, and for more
   *   than 50 megapixels; SERVICE_UNAVAILABLE when too many wait.
   */
  toAvatar(file: Uint8Array): Promise<Uint8Array>;
};
