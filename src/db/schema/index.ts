export * from './accounts.ts';
export * from './api-keys.ts';
export * from './audit.ts';
export * from './jobs.ts';
export * from './organizations.ts';
