export { createServer, type NewServer } from './create.ts';
export { listServers, oneServer, serverCount } from './read.ts';
export { removeServer } from './remove.ts';
export type { Server } from './row.ts';
export { SERVER_FIELDS, type ServerChanges, setServerState, updateServer } from './update.ts';
