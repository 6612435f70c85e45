/** `medlogictrace serve`: the window in any browser of this machine. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import type { Io } from './io.ts';
import { wholeNumber } from './options.ts';

const root = join(import.meta.dirname, '..', '..');

/** What a page keeps for itself belongs to its port: the same one brings it back. */
const USUAL_PORT = 8417;

interface ServeFlags {
  port?: number;
  runs?: string;
  open?: string;
}

export function register(program: Command, io: Io): void {
  program
    .command('serve')
    .description('serve the window to a browser on this machine; prints its address')
    .option(
      '--port <n>',
      `port on 127.0.0.1; 0 takes a free one (default: ${USUAL_PORT}, where the window finds its column widths again, else a free one)`,
      wholeNumber(0, 65535),
    )
    .option('--runs <dir>', 'folder of the runs')
    .option('--open <program>', 'also hand the address to this program (open, xdg-open)')
    .action(async (flags: ServeFlags) => {
      const { InputError } = await import('../../shared/input-error.ts');
      const { serve } = await import('../server.ts');
      const { createWorkbenchRouter } = await import('../rpc/workbench-router.ts');
      const { GivenFiles } = await import('../workbench/given-files.ts');
      const { RunnerService } = await import('../workbench/runner-service.ts');
      const { defaultRunsDir } = await import('../workbench/runs.ts');
      const pages = process.env.MEDLOGICTRACE_PAGES ?? join(root, 'out', 'renderer');
      if (!existsSync(join(pages, 'index.html'))) {
        throw new InputError(`the window is not built (${pages} has no index.html): run "npm run build" first`, 'pages');
      }
      const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
      const files = new GivenFiles();
      const runner = new RunnerService();
      const router = createWorkbenchRouter({ version, runsDir: resolve(flags.runs ?? defaultRunsDir()), files, runner });
      const start = (port: number) => serve({ router, files, pages, port });
      const taken = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
      const server = await start(flags.port ?? USUAL_PORT).catch((error: unknown) => {
        if (!taken(error)) throw error;
        if (flags.port === undefined) return start(0);
        throw new InputError(`--port ${flags.port} is taken by another program; give another, or 0 for any`, '--port');
      });
      io.out({ url: server.url, port: server.port }, `The workbench is at ${server.url}\nCtrl-C ends this server; runs go on.`);
      if (flags.open !== undefined) {
        const opener = spawn(flags.open, [server.url], { stdio: 'ignore', detached: true });
        opener.on('error', (error) => io.note(`the browser could not be opened (${error.message}); open the address by hand`));
        opener.unref();
      }
      await new Promise<void>((done) => {
        for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => done());
      });
      await server.close();
      await router.close();
      runner.close();
    });
}
