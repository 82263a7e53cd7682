import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

/** The service that the development server passes calls on to. */
const SERVICE = 'http://localhost:3000';

export default defineConfig({
  root: path('.'),
  plugins: [react()],
  // The rules of names in DNS are the server's own; all that they ask of Node is in this file.
  resolve: { alias: { 'node:url': path('./lib/node-url.ts') } },
  build: {
    emptyOutDir: true,
    assetsInlineLimit: 0, // the policy of the page allows no data: addresses
    target: 'es2022',
    reportCompressedSize: false,
  },
  server: {
    proxy: Object.fromEntries(
      ['/api', '/avatars', '/docs', '/health'].map((prefix) => [
        prefix,
        { target: SERVICE, headers: { origin: SERVICE } },
      ]),
    ),
  },
});
