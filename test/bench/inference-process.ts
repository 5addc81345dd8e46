import { readFile } from 'node:fs/promises';
import { inferenceServer } from '../support/inference-server.ts';

/** A model server in a process of its own: prints its endpoint, and ends when its standard input does. */
const [model = '', width, latencyMs, rowMs] = process.argv.slice(2);
await using server = await inferenceServer({
  model: await readFile(model),
  width: Number(width),
  outputs: 1,
  binary: true,
  latencyMs: Number(latencyMs),
  rowMs: Number(rowMs),
});
process.stdout.write(`${server.url}\n`);
await new Promise((resolve) => process.stdin.on('close', resolve).resume());
