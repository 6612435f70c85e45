/** SHA-256 of every file of a checkpoint, kept beside them: a bit that flipped on the disk is found before it is trained on. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { z } from 'zod';

export const CHECKSUMS_FILE = 'checksums.json';

const Checksums = z.object({
  /** By path below the checkpoint, `/` between folders; sizes in bytes, SHA-256 in hex. */
  files: z.record(z.string(), z.object({ bytes: z.number().int().min(0), sha256: z.string().regex(/^[0-9a-f]{64}$/) })),
});

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk);
  return hash.digest('hex');
}

/** Writes `checksums.json` over all files of a checkpoint that is complete but for it. */
export async function writeChecksums(folder: string): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const files: z.infer<typeof Checksums>['files'] = {};
  for (const path of paths.sort()) {
    files[relative(folder, path).replaceAll(sep, '/')] = { bytes: (await stat(path)).size, sha256: await sha256Of(path) };
  }
  await writeFile(join(folder, CHECKSUMS_FILE), `${JSON.stringify({ files }, null, 1)}\n`);
}

/**
 * What is wrong with a checkpoint, in words; null where every file is what was written. A folder without `checksums.json` was written
 * before there were any: nothing can be said against it here, and its loader still checks what it reads.
 */
export async function damageOf(folder: string): Promise<string | null> {
  let text: string;
  try {
    text = await readFile(join(folder, CHECKSUMS_FILE), 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
  let parsed: z.infer<typeof Checksums>;
  try {
    parsed = Checksums.parse(JSON.parse(text));
  } catch {
    return `${CHECKSUMS_FILE} cannot be read`;
  }
  for (const [name, { bytes, sha256 }] of Object.entries(parsed.files)) {
    const found = await stat(join(folder, name)).catch(() => null);
    if (found === null) return `${name} is missing`;
    if (found.size !== bytes) return `${name} has ${found.size} bytes instead of ${bytes}`;
    if ((await sha256Of(join(folder, name))) !== sha256) return `${name} is not what was written (its SHA-256 differs)`;
  }
  return null;
}
