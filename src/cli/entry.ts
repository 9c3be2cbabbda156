import { main } from './main.ts';

// `… | head`: whoever read the output has gone, there is nothing left to do.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(141);
});
process.exitCode = await main(process.argv.slice(2));
