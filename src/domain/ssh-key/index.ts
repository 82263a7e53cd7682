export { createSshKey } from './create.ts';
export { MAX_PRIVATE_KEY_LENGTH } from './private-key.ts';
export { MAX_PUBLIC_KEY_LENGTH } from './public-key.ts';
export { listSshKeys, oneSshKey } from './read.ts';
export { removeSshKey } from './remove.ts';
export { SSH_KEY_FIELDS, updateSshKey } from './update.ts';
