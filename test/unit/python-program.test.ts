/** What is said of a Python that cannot be asked. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { probeTorch } from '../../main/policy/torch/python-program.ts';

describe.skipIf(process.platform === 'win32')('a Python', () => {
  const folder = mkdtempSync(join(tmpdir(), 'python-program-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  const program = (name: string, lines: string): string => {
    const path = join(folder, name);
    writeFileSync(path, `#!/bin/sh\n${lines}\n`);
    chmodSync(path, 0o755);
    return path;
  };

  it('that is not there', async () => {
    await expect(probeTorch(join(folder, 'none'))).rejects.toThrow(/there is no Python at ".*none"; install Python 3\.11 or later/);
  });

  // Catches: a list of backends that waits for ever.
  it('that never answers', async () => {
    await expect(probeTorch(program('hangs', 'exec sleep 1000'), 200)).rejects.toThrow(
      /hangs" did not answer within 0\.2 s; set MEDLOGICTRACE_PYTHON/,
    );
  });

  it('that complains', async () => {
    const python = program('complains', 'echo first >&2; echo "torch is missing; install it" >&2; exit 78');
    await expect(probeTorch(python)).rejects.toThrow(/^torch is missing; install it$/);
  });
});
