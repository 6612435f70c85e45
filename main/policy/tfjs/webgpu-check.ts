/** `webgpu-check`: prints the adapter that would be computed on, or null, as one line of JSON. In a process of its own since Dawn prints what it misses. */
import { findAdapter } from './webgpu/device.ts';

console.log(JSON.stringify(await findAdapter()));
process.exit(0);
