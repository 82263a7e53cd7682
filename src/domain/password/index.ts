export { requireCurrentPassword, requireSameHash } from './current.ts';
export { requireStrong, setPassword } from './set.ts';
