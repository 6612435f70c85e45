/** `npm test [-- GROUP …]`: fetches what is missing, then runs the tests under Node 24. */
import { handOver } from './ensure.js';

handOver('scripts/run-tests.ts', process.argv.slice(2));
