/** The demo's result that comes with the program. */
import { readFile } from 'node:fs/promises';
import { parseInput, parseJson } from '../../shared/parse-input.ts';
import { RecordedExample } from '../../shared/recorded-example.ts';

// The same place from here as from the bundle in out/main.
const EXAMPLE = new URL('../../resources/example/demo.json', import.meta.url);

/** Errors: an InputError where the file is damaged; the system's where it is missing. */
export async function readExample(): Promise<RecordedExample> {
  const text = await readFile(EXAMPLE, 'utf8');
  return parseInput(RecordedExample, parseJson(text, 'resources/example/demo.json'), 'resources/example/demo.json');
}
