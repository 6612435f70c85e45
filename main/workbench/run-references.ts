/** Which runs, and which checkpoints of them, something else rests on: other runs, evaluations, comparisons, reports. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';

/** Larger files hold data, not results that name runs. */
const LARGEST = 64 << 20;

export interface References {
  /** Why a path in a run must stay; null where nothing names it or anything in it. */
  to(path: string): string | null;
}

/** The JSON files and reports that may name runs: beside the runs, one folder above them, and the results inside each run. */
async function resultFiles(runsDir: string): Promise<string[]> {
  const resultsIn = async (folder: string): Promise<string[]> => {
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
    return entries.filter((entry) => entry.isFile() && /\.(json|html)$/.test(entry.name)).map((entry) => join(folder, entry.name));
  };
  const runs = (await readdir(runsDir, { withFileTypes: true })).filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'));
  const inside = await Promise.all(runs.map((entry) => resultsIn(join(runsDir, entry.name))));
  return [...(await resultsIn(runsDir)), ...(await resultsIn(dirname(runsDir))), ...inside.flat()];
}

/** Everything in a text that could be a path or a run's id. */
const wordsIn = (text: string): Set<string> => new Set(text.match(/[^\s"'`<>|,;()=&]+/g));

/**
 * Reads what lies in and beside a folder of runs for the ids in `ids` and for paths into those runs. A path counts by the id in it,
 * wherever it starts: results name runs from other folders and other machines. Naming too much only keeps too much.
 */
export async function readReferences(runsDir: string, ids: ReadonlySet<string>): Promise<References> {
  const runs = resolve(runsDir);
  /** Path below the runs folder → the file that names it. */
  const named = new Map<string, string>();
  for (const file of await resultFiles(runs)) {
    if ((await stat(file)).size > LARGEST) continue;
    const own = relative(runs, file).split(sep)[0] ?? '';
    for (const word of wordsIn(await readFile(file, 'utf8'))) {
      const parts = word.split(/[/\\]+/);
      const at = parts.findIndex((part) => ids.has(part));
      // A run's own files name itself.
      if (at < 0 || parts[at] === own) continue;
      const below = parts.slice(at).join(sep);
      if (!named.has(below)) named.set(below, file);
    }
  }
  return {
    to(path) {
      const below = relative(runs, resolve(path));
      for (const [place, file] of named) {
        if (place === below || place.startsWith(`${below}${sep}`)) return `${relative(runs, file)} names ${place}`;
      }
      return null;
    },
  };
}
