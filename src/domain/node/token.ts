import { hashSecret, newSecret } from '../../kernel/secrets.ts';

/** What an agent is known by, and how it is stored. */
export function newNodeToken(): { token: string; tokenHash: string } {
  const token = `node_${newSecret()}`;
  return { token, tokenHash: hashSecret(token) };
}
