/**
 * The headless shell: `medlogictrace <command>`. The sources are compiled at each start; what was compiled before is kept, which more than
 * halves the time of a short command. So nothing else is loaded before that is switched on.
 */
import { enableCompileCache } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';

enableCompileCache(join(homedir(), '.cache', 'medlogictrace', 'compiled'));
const { main } = await import('./commands/command-line.ts');
await main();
