import { timestamp, uuid } from 'drizzle-orm/pg-core';
import { newId } from '../kernel/ids.ts';

/** UUIDv7 primary key. */
export const id = () => uuid().primaryKey().$defaultFn(newId);

/** A moment, kept to the millisecond that the wire shows. */
export const moment = (name: string) => timestamp(name, { withTimezone: true, precision: 3 });

export const createdAt = () => moment('created_at').notNull().defaultNow();
export const updatedAt = () => moment('updated_at').notNull().defaultNow();
