/** Whether the files of a model folder are those that were read before. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

const FILES = [
  'config.json',
  'model.safetensors',
  'model.safetensors.index.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'chat_template.jinja',
  'generation_config.json',
];

/** A text that changes with size or time of any file that makes up a model. */
export async function checkpointState(folder: string): Promise<string> {
  const names = await readdir(folder).catch((): string[] => []);
  // Shards have names of their own.
  const shards = names.filter((name) => name.endsWith('.safetensors') && !FILES.includes(name)).sort();
  const stats = await Promise.all([...FILES, ...shards].map((name) => stat(join(folder, name)).catch(() => null)));
  return [folder, ...stats.map((one) => (one === null ? '-' : `${one.size}@${one.mtimeMs}`))].join();
}
