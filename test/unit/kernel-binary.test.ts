import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { KERNEL_BINARY } from '../../main/policy/tfjs/kernels.ts';

it('the committed kernels are what their sources compile to', () => {
  // Catches a source that was edited without building, and a binary that nobody can account for.
  const script = fileURLToPath(new URL('../../scripts/build-kernels.js', import.meta.url));
  expect(() => execFileSync(process.execPath, [script, '--check'], { stdio: 'pipe' })).not.toThrow();
}, 60_000);

it('the kernels bring no data, memory or start function of their own', () => {
  // A data segment or allocator would overwrite tensors of the backend, whose memory the kernels share.
  const bytes = readFileSync(KERNEL_BINARY);
  const sections: number[] = [];
  for (let at = 8; at < bytes.length; ) {
    sections.push(bytes[at++] as number);
    let size = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++] as number;
      size |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    at += size;
  }
  const [memory, start, data] = [5, 8, 11];
  expect(sections.filter((id) => id === memory || id === start || id === data)).toEqual([]);
  const imports = WebAssembly.Module.imports(new WebAssembly.Module(bytes)).map(({ module, name }) => `${module}.${name}`);
  expect(imports.sort()).toEqual(['env.memory', 'math.log']);
});
