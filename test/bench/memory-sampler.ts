/**
 * Loaded before a runner (`node --import`): appends what its process holds to the file MEMORY_SAMPLES, a line every 200 ms:
 * seconds since its start, resident set, JavaScript heap in use, and the WebAssembly memory of its main thread, in bytes.
 */
import { appendFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import { startBackend } from '../../main/policy/tfjs/backend.ts';

const path = process.env.MEMORY_SAMPLES;
if (path !== undefined && isMainThread && process.argv[1]?.endsWith('main.ts')) {
  const { memory } = await startBackend();
  setInterval(() => {
    const { rss, heapUsed } = process.memoryUsage();
    appendFileSync(path, `${JSON.stringify([process.uptime(), rss, heapUsed, memory.buffer.byteLength])}\n`);
  }, 200).unref();
}
