/** The results that come with the program. */
import { readFile } from 'node:fs/promises';
import { parseInput, parseJson } from '../../shared/parse-input.ts';
import { RecordedExample } from '../../shared/recorded-example.ts';

// The same place from here as from the bundle in out/main.
const EXAMPLES = new URL('../../resources/example/', import.meta.url);

/** In the order in which they are shown (scripts/record-example.ts writes them). */
const FILES = ['demo.json', 'checkpoint.json'] as const;

/** Errors: an InputError where a file is damaged; the system's where one is missing. */
export async function readExamples(): Promise<RecordedExample[]> {
  return Promise.all(
    FILES.map(async (file) => {
      const name = `resources/example/${file}`;
      return parseInput(RecordedExample, parseJson(await readFile(new URL(file, EXAMPLES), 'utf8'), name), name);
    }),
  );
}
