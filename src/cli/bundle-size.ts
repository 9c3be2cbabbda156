import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

/** Gzipped kB of what a first visit loads before it paints: the page, its scripts, preloads and styles. Null without a build. */
export function initialBundleKb(dist: string): number | null {
  const page = join(dist, 'index.html');
  if (!existsSync(page)) return null;
  const html = readFileSync(page, 'utf8');
  const files = [...html.matchAll(/(?:src|href)="\.?\/?([^"]+\.(?:js|css))"/g)].map((match) => match[1] as string);
  const bytes = [html, ...files.map((file) => readFileSync(join(dist, file)))].reduce(
    (sum, content) => sum + gzipSync(content).length,
    0,
  );
  return Number((bytes / 1000).toFixed(1));
}
