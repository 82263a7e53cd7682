export { collectAvatar } from './collect.ts';
export { releaseAvatar, type StoredAvatar, settleAvatar, storeAvatar } from './store.ts';
export { avatarUrl } from './url.ts';
