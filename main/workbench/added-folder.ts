/**
 * A folder that lies elsewhere, taken into the list of models: a link in the folder of models. The one path that the window may name, since
 * neither shell has another way to a folder of gigabytes; nothing but that it is a model's is told of it.
 */
import { existsSync } from 'node:fs';
import { lstat, mkdir, readdir, realpath, rm, stat, symlink } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, isAbsolute, join, resolve } from 'node:path';
import { InputError } from '../../shared/input-error.ts';
import { defaultModelsDir, listModels } from './models.ts';

/** The id of what it became: a model, or null for an adapter. Errors: InputError for what is no folder of a model. */
export async function addFolder(runsDir: string, text: string): Promise<{ model: string | null }> {
  const typed = text.trim().replace(/^~(?=[/\\]|$)/, homedir());
  if (!isAbsolute(typed)) throw new InputError(`"${text.trim()}" is no whole path; write it from the root, or from ~`, 'path');
  const wanted = resolve(typed);
  const names = (await stat(wanted).catch(() => null))?.isDirectory() ? await readdir(wanted).catch(() => []) : [];
  if (!names.includes('config.json') && !names.includes('adapter_config.json')) {
    throw new InputError(
      `${wanted} is no folder of a model: it has no config.json (nor adapter_config.json); name the folder that config.json, model.safetensors and tokenizer.json lie in`,
      'path',
    );
  }
  const place = await realpath(wanted);
  const modelsDir = defaultModelsDir(runsDir);
  const { models, adapters } = await listModels(runsDir);
  for (const one of [...models, ...adapters]) {
    // Of the embedded ones the location is a name.
    if (existsSync(one.location) && (await realpath(one.location)) === place)
      return { model: models.some(({ id }) => id === one.id) ? one.id : null };
  }
  await mkdir(modelsDir, { recursive: true });
  const stem =
    basename(wanted)
      .replace(/^\.+/, '')
      .replaceAll(/[^\w.+-]/g, '-') || 'model';
  let name = stem;
  for (let n = 2; (await lstat(join(modelsDir, name)).catch(() => null)) !== null; n++) name = `${stem}-${n}`;
  await symlink(place, join(modelsDir, name), 'junction');
  return { model: names.includes('config.json') ? `installed/${name}` : null };
}

/** Takes a link away again; the folder itself stays as it is. Errors: InputError for what is no such link. */
export async function removeLink(runsDir: string, id: string): Promise<void> {
  const { models } = await listModels(runsDir);
  const found = models.find((model) => model.id === id && model.link === true);
  if (found === undefined) throw new InputError(`${id} is no folder that was added to the list`, 'model');
  await rm(found.location);
}
