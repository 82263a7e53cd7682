import { v7 } from 'uuid';

/** A UUIDv7 (RFC 9562, section 5.7): sorts by the time it was made, so ids double as cursors. */
export const newId = (): string => v7();
