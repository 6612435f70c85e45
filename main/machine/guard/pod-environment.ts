/** What RunPod tells a pod's container about itself (pods/templates/environment-variables): its id and a key of its own. */
import { readFileSync } from 'node:fs';

export interface PodEnvironment {
  pod: string | null;
  /** "Pod-scoped API key". */
  key: string | null;
}

/** `/proc/<pid>/environ`: `NAME=value`, each ended by a null byte. */
function parseEnviron(bytes: string): Record<string, string> {
  return Object.fromEntries(
    bytes.split('\0').flatMap((entry) => {
      const at = entry.indexOf('=');
      return at > 0 ? [[entry.slice(0, at), entry.slice(at + 1)]] : [];
    }),
  );
}

/** From this process's environment, else from the container's first process: a session over SSH does not inherit it. */
export function podEnvironment(first: string, environment: NodeJS.ProcessEnv = process.env): PodEnvironment {
  let container: Record<string, string> = {};
  try {
    container = parseEnviron(readFileSync(first, 'utf8'));
  } catch {
    // Another user's, or no Linux: then it is not to be had.
  }
  const value = (name: string): string | null => environment[name]?.trim() || container[name]?.trim() || null;
  return { pod: value('RUNPOD_POD_ID'), key: value('RUNPOD_API_KEY') };
}
