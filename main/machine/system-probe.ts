/** How the machine room sees the processes of this machine. */
import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { systemProbe } from '../../shared/process-identity.ts';

export const thisSystem = systemProbe({
  platform: process.platform,
  readFileSync,
  readlinkSync,
  execFileSync,
  kill: (pid, signal) => process.kill(pid, signal),
});
