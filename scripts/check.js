/** `npm run check`: types, lint, import rules and unit tests, under Node 24. */
import { handOver } from './ensure.js';

handOver('scripts/run-checks.ts', process.argv.slice(2));
