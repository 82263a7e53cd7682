import type { Config } from '../config.ts';
import { loadSecret, replaceSecret } from '../secret.ts';
import { withDatabase } from './with-deps.ts';

/** Makes the secret that is set now the installation's own, be what the one before protected lost. */
export const replaceWithSet = (config: Config): Promise<string> =>
  withDatabase(config, async (database) => {
    const secret = await loadSecret(config);
    await database.query((sql) => replaceSecret(sql, secret));
    return 'The installation goes by the secret that is set now. Start the service with it.';
  });
