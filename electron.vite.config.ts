/** Builds the three parts of the window into out/: main (Electron's own process), preload (one CommonJS file, as the sandbox demands), renderer. */
import { join } from 'node:path';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'electron-vite';

const at = (...path: string[]) => join(import.meta.dirname, ...path);

export default defineConfig({
  main: {
    build: { rolldownOptions: { input: { desktop: at('main', 'desktop.ts') } } },
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
    build: { minify: true, rolldownOptions: { input: at('renderer', 'index.html') } },
  },
});
