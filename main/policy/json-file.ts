/** Reading the JSON files of a model folder, which others wrote: every failure is one message that names the file. */
import { readFile, stat } from 'node:fs/promises';
import type { z } from 'zod';
import { InputError } from '../../shared/input-error.ts';
import { parseInput } from '../../shared/parse-input.ts';
import { CheckpointError } from './checkpoint-error.ts';

/** Whether a file is there. Absence is an answer; any other failure (permission, I/O) is thrown. */
export async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return false;
    throw error;
  }
}

/** The parsed text of a JSON file. Errors: CheckpointError when it is missing or broken. */
export async function readJsonFile(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new CheckpointError(
      `${path}: cannot be read (${reason(error)}). A model folder holds config.json, model.safetensors and tokenizer.json.`,
    );
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CheckpointError(`${path}: is not valid JSON (${reason(error)}). Fetch or write the file again.`);
  }
}

/** A JSON file that fits a schema. Errors: CheckpointError naming file and field. */
export async function readChecked<S extends z.ZodType>(schema: S, path: string): Promise<z.output<S>> {
  return checked(schema, await readJsonFile(path), path);
}

/** The same, or null where there is no such file. */
export async function readCheckedIfThere<S extends z.ZodType>(schema: S, path: string): Promise<z.output<S> | null> {
  return (await isFile(path)) ? readChecked(schema, path) : null;
}

/** A value that fits a schema. Errors: CheckpointError naming field, value and rule. */
export function checked<S extends z.ZodType>(schema: S, value: unknown, where: string): z.output<S> {
  try {
    return parseInput(schema, value, where);
  } catch (error) {
    throw error instanceof InputError ? new CheckpointError(error.message, error.field) : error;
  }
}

export const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error));
