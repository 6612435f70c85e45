/**
 * The headless shell: `medlogictrace <command>`. Loads the one command asked for, so that start-up stays fast, and turns
 * whatever it throws into an exit code and one message.
 */
import { Command, CommanderError } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import { InputError } from '../../shared/input-error.ts';
import { unknownName } from '../../shared/nearest.ts';
import { type Io, processIo } from './io.ts';
import { type Outcome, outcomeOf } from './outcome.ts';

interface CommandModule {
  register(program: Command, io: Io): void;
}
interface CommandEntry {
  name: string;
  /** Shown in the list of commands; a command's own help comes from its file. */
  summary: string;
  load(): Promise<CommandModule>;
}

/** Every command, in the order of the help. */
const commandTable: readonly CommandEntry[] = [
  { name: 'demo', summary: 'the embedded experiment: evaluate, train, evaluate, compare', load: () => import('./demo.ts') },
  { name: 'study', summary: 'the demo on several seeds, with its controls', load: () => import('./study.ts') },
  { name: 'run', summary: 'carry out a config file: train, sft or evaluate', load: () => import('./run.ts') },
  { name: 'evaluate', summary: 'measure a model or a constant responder on questions', load: () => import('./evaluate.ts') },
  { name: 'grade', summary: 'score given answers', load: () => import('./grade.ts') },
  { name: 'compare', summary: 'compare evaluations of the same questions with a reference', load: () => import('./compare.ts') },
  { name: 'runs', summary: 'list, show, steer, pack and clean runs', load: () => import('./runs.ts') },
  { name: 'datasets', summary: 'list and show data sets', load: () => import('./datasets.ts') },
  { name: 'models', summary: 'inspect a checkpoint', load: () => import('./models.ts') },
  { name: 'backends', summary: 'what can compute here, and why or why not', load: () => import('./backends.ts') },
  { name: 'machines', summary: 'list, add, check, set up and clean machines for runs; rent pods', load: () => import('./machines.ts') },
  { name: 'serve', summary: 'the window, in a browser of this machine', load: () => import('./serve.ts') },
  { name: 'bench', summary: 'speed, as ratios measured in one run', load: () => import('./bench.ts') },
];

const notice = 'Research software, not for clinical use.';

function emptyProgram(): Command {
  return new Command('medlogictrace')
    .description(`Trains small language models to answer medical questions as well with fewer tokens, and proves it.\n${notice}`)
    .version(packageJson.version)
    .option('--json', 'one JSON document on standard output, progress on standard error')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ outputError: () => undefined })
    .exitOverride();
}

/** The first word that is not an option: the command's name, whether it exists or not. */
const commandWord = (args: readonly string[]): string | undefined => args.find((arg) => !arg.startsWith('-'));

/** The program with the command asked for loaded and the others listed by name. Errors: an unknown command. */
async function programFor(args: readonly string[], io: Io): Promise<Command> {
  const program = emptyProgram();
  const names = commandTable.map((entry) => entry.name);
  const words = args.filter((arg) => !arg.startsWith('-'));
  const asked = words[0] === 'help' ? words[1] : words[0];
  if (asked !== undefined && !names.includes(asked)) throw new InputError(unknownName('command', asked, names));
  for (const entry of commandTable) {
    if (entry.name === asked) (await entry.load()).register(program, io);
    else program.command(entry.name).description(entry.summary);
  }
  return program;
}

/** Runs one command line (without node and script). Never throws: what went wrong is in the outcome. */
export async function runCommandLine(args: readonly string[], io: Io): Promise<Outcome> {
  try {
    const program = await programFor(args, io);
    if (commandWord(args) === undefined && !args.some((arg) => ['-h', '--help', '-V', '--version'].includes(arg))) {
      const stray = args.find((arg) => arg !== '--json');
      if (stray !== undefined) await program.parseAsync([...args], { from: 'user' });
      program.outputHelp({ error: true });
      throw new CommanderError(2, 'commander.help', '');
    }
    await program.parseAsync([...args], { from: 'user' });
    return { exit: 0, message: null, code: 'help' };
  } catch (thrown) {
    return outcomeOf(thrown);
  }
}

/** Says on both streams how it ended, as far as there is something to say. */
function report(outcome: Outcome, io: Io): void {
  if (outcome.exit === 0) return;
  const { code, message, field } = outcome;
  if (io.json) io.fail({ error: { code, message: message ?? 'no command given; see --help', ...(field === undefined ? {} : { field }) } });
  if (message !== null) io.note(`medlogictrace: ${message}`);
  if (process.env.MEDLOGICTRACE_DEBUG && outcome.stack) io.note(outcome.stack);
}

/** Waits until what was written has left the process: `process.exit` drops what a pipe has not taken yet. */
const flushed = (stream: NodeJS.WriteStream): Promise<void> => new Promise((done) => stream.write('', () => done()));

/** Carries out the process's own command line and ends it with the exit code. */
export async function main(): Promise<void> {
  // A reader that has seen enough (`| head`) closes the pipe: that is no failure of the command.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  const args = process.argv.slice(2);
  const io = processIo(args.includes('--json'));
  const outcome = await runCommandLine(args, io);
  report(outcome, io);
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  process.exit(outcome.exit);
}
