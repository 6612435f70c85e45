#!/usr/bin/env node
/** `medlogictrace …` from a checkout: fetches what is missing, then runs the command under Node 24. */
import { handOver } from '../scripts/ensure.js';

handOver('main/cli.ts', process.argv.slice(2));
