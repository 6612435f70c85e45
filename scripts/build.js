/** `npm run build`: main, preload and renderer into out/. */
import { handOver } from './ensure.js';

handOver('node_modules/electron-vite/bin/electron-vite.js', ['build', ...process.argv.slice(2)]);
