export { createServer } from './create.ts';
export { listServers, oneServer, serverCount } from './read.ts';
export { removeServer } from './remove.ts';
export { SERVER_FIELDS, setServerState, updateServer } from './update.ts';
