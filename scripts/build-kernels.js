#!/usr/bin/env node
// Compiles resources/kernels/*.ts (AssemblyScript) to resources/kernels/policy.wasm. The binary is committed, so only those who change a
// kernel need this; `--check` compares instead of writing and fails when the committed binary is not what the sources give.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const compiler = join(dirname(createRequire(import.meta.url).resolve('assemblyscript/package.json')), 'bin/asc.js');
const binary = join(root, 'resources/kernels/policy.wasm');
const check = process.argv.includes('--check');
const folder = mkdtempSync(join(check ? tmpdir() : dirname(binary), 'build-'));
try {
  const output = join(folder, 'policy.wasm');
  // The stub runtime and an imported memory keep the module free of static data and of an allocator of its own.
  const options = '-O3 --noAssert --runtime stub --importMemory --noExportMemory --enable simd --enable relaxed-simd'.split(' ');
  execFileSync(process.execPath, [compiler, 'resources/kernels/index.ts', '-o', output, ...options], { cwd: root, stdio: 'inherit' });
  if (!check) renameSync(output, binary);
  else if (!readFileSync(output).equals(readFileSync(binary))) {
    console.error(
      'resources/kernels/policy.wasm is not what its sources compile to: run `node scripts/build-kernels.js` and commit the result',
    );
    process.exitCode = 1;
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
