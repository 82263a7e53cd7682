/**
 * Keeps small files by name, such as `<hash>.webp`. What `put` has returned for is kept. Every function answers within
 * ten seconds, and throws SERVICE_UNAVAILABLE `storage_unavailable` when the storage cannot do it now.
 */
export type Storage = {
  /** Another file of that name is replaced as a whole: no reader sees half of it. */
  put(name: string, bytes: Uint8Array): Promise<void>;
  /** Undefined when there is none. */
  get(name: string): Promise<Uint8Array | undefined>;
  /** Does nothing when there is none. */
  delete(name: string): Promise<void>;
};
