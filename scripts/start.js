/** `npm start`: opens the window. */
import { handOver } from './ensure.js';

handOver('scripts/open-window.ts', process.argv.slice(2));
