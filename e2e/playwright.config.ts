import { existsSync } from 'node:fs';
import { defineConfig, devices } from '@playwright/test';

/** An installed Chromium if there is one; otherwise the one `e2e/ensure-chromium.sh` fetched for Playwright. */
const installed = [
  process.env.CHROMIUM_PATH,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
].find((path) => path !== undefined && existsSync(path));
const PORT = Number(process.env.E2E_PORT ?? 4391);

export default defineConfig({
  testDir: './journeys',
  outputDir: '../test-results',
  timeout: 60_000,
  workers: 1,
  retries: process.env.CI ? 1 : 0,
  reporter: [['list']],
  use: {
    ...devices['Desktop Chrome'],
    baseURL: `http://127.0.0.1:${PORT}/sub/path/`,
    viewport: { width: 1440, height: 900 },
    launchOptions: {
      ...(installed === undefined ? {} : { executablePath: installed }),
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
  webServer: {
    command: `node serve.mjs ${PORT}`,
    cwd: '.',
    url: `http://127.0.0.1:${PORT}/sub/path/`,
    reuseExistingServer: false,
  },
});
