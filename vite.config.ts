import { createHash } from 'node:crypto';
import react from '@vitejs/plugin-react';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

/**
 * Offline after the first visit: one service worker that caches every emitted file under a name made of their hash.
 * `ignoreVary` because module scripts are fetched with CORS and static servers answer `Vary: Origin`.
 */
function offline(): Plugin {
  return {
    name: 'cxlab-offline',
    apply: 'build',
    generateBundle(_options, bundle) {
      const files = Object.keys(bundle)
        .filter((name) => !name.endsWith('.map'))
        .sort();
      const version = createHash('sha256').update(files.join('\n')).digest('hex').slice(0, 12);
      const source = `const CACHE = 'cxlab-${version}';
const FILES = ${JSON.stringify(['./', ...files.filter((name) => name !== 'index.html')])};
self.addEventListener('install', (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(FILES)).then(() => self.skipWaiting()));
});
self.addEventListener('activate', (event) => {
  event.waitUntil(
    caches.keys()
      .then((names) => Promise.all(names.filter((name) => name.startsWith('cxlab-') && name !== CACHE).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});
self.addEventListener('fetch', (event) => {
  if (event.request.method !== 'GET') return;
  const key = event.request.mode === 'navigate' ? './' : event.request;
  event.respondWith(caches.match(key, { ignoreSearch: true, ignoreVary: true }).then((hit) => hit ?? fetch(event.request)));
});
`;
      this.emitFile({ type: 'asset', fileName: 'sw.js', source });
    },
  };
}

export default defineConfig({
  // Works from any sub-path of a static host.
  base: './',
  plugins: [react(), offline()],
  worker: { format: 'es' },
  optimizeDeps: { include: ['just-bash/browser', 'comlink'] },
  build: {
    target: 'es2023',
    sourcemap: true,
    chunkSizeWarningLimit: 1400,
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: 'react', test: /node_modules[\\/](react|react-dom|scheduler|zustand)[\\/]/ },
            { name: 'xterm', test: /node_modules[\\/]@xterm[\\/]/ },
            { name: 'd3', test: /node_modules[\\/]d3-/ },
          ],
        },
      },
    },
  },
  // Limits for hangs only: the same tests take many times as long on a machine that is busy.
  test: {
    environment: 'node',
    include: ['src/**/*.test.ts', 'src/**/*.test.tsx'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
