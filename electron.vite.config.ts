/** Builds the three parts of the window into out/: main (Electron's own process), preload (one CommonJS file, as the sandbox demands), renderer. */
import { join } from 'node:path';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'electron-vite';

const at = (...path: string[]) => join(import.meta.dirname, ...path);

export default defineConfig({
  main: {
    // One file: what it opens by a path relative to itself must not move into a folder of chunks.
    build: { rolldownOptions: { input: { desktop: at('main', 'desktop.ts') }, output: { codeSplitting: false } } },
  },
  preload: {
    build: {
      externalizeDeps: false,
      rolldownOptions: { input: at('preload', 'index.ts'), output: { format: 'cjs', entryFileNames: 'index.cjs' } },
    },
  },
  renderer: {
    root: at('renderer'),
    plugins: [react()],
    // The plotting library is one chunk of 1 MB, fetched when the first figure is drawn.
    build: { minify: true, chunkSizeWarningLimit: 1200, rolldownOptions: { input: at('renderer', 'index.html') } },
  },
});
