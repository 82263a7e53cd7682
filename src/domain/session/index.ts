export { endSessions, logout, logoutAll, revokeSession } from './end.ts';
export { listSessions } from './list.ts';
export { IDLE_MS, MAX_AGE_MS, type OpenedSession, openSession } from './open.ts';
