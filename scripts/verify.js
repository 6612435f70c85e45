/** `npm run verify [-- WORD …]`: the long comparisons with Transformers and lm-evaluation-harness, which are too slow for `npm test`. */
import { handOver } from './ensure.js';

handOver('scripts/run-verify.ts', process.argv.slice(2));
