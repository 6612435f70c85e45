/** `medlogictrace machines`: where runs can be carried out, and what it takes to make a machine ready for them. */
import { type Command, InvalidArgumentError } from 'commander';
import type { DownloadDone } from '../../shared/hub-model.ts';
import type { NewMachine } from '../../shared/machine-list.ts';
import { type SetupEvent, SetupOptions, type SetupReport } from '../../shared/machine-setup.ts';
import { parseInput } from '../../shared/parse-input.ts';
import type { Machine } from '../machine/machine.ts';
import { parseDestination } from '../machine/ssh/ssh-config.ts';
import { hubState } from '../workbench/hub-settings.ts';
import { checkMachine } from '../workbench/machines/check.ts';
import { cleanMachine } from '../workbench/machines/clean.ts';
import { fetchModelThere } from '../workbench/machines/fetch-model.ts';
import { addMachine, findMachine, LOCAL_ROOT, listMachines, removeMachine } from '../workbench/machines/list.ts';
import { openMachine } from '../workbench/machines/open.ts';
import { setUpMachine } from '../workbench/machines/setup.ts';
import { runpodApi, runpodClient } from '../workbench/pods/client.ts';
import { guardAfterSetup } from '../workbench/pods/guard-after-setup.ts';
import { Pods } from '../workbench/pods/pods.ts';
import { Secrets } from '../workbench/secrets.ts';
import type { Io } from './io.ts';
import { questions, type ReachFlags } from './machine-questions.ts';
import { cleanedText, machineCheckText, machineListText, setupText } from './machine-text.ts';
import { registerPods } from './machines-pods.ts';
import { wholeNumber } from './options.ts';
import { formatDuration } from './progress.ts';

interface AddFlags {
  port?: number;
  key?: string;
  jump?: string[];
  root?: string;
  replace?: boolean;
}

interface SetupFlags extends ReachFlags {
  python?: string;
  node?: string;
  torchIndex?: string;
}

/** The machine, connected, for as long as `work` takes. */
export async function withMachine<T>(name: string, io: Io, flags: ReachFlags, work: (machine: Machine) => Promise<T>): Promise<T> {
  const machine = await openMachine(name, questions(io, flags));
  try {
    // One attempt: at a terminal a wrong address should be told at once.
    await machine.connection.connect();
    return await work(machine);
  } finally {
    await machine.close();
  }
}

const rootOf = async (name: string): Promise<string> => (name === 'local' ? LOCAL_ROOT : (await findMachine(name)).root);

const setupOptions = ({ python, node, torchIndex }: SetupFlags): SetupOptions =>
  parseInput(SetupOptions, { python: python ?? null, node: node ?? null, torch_index: torchIndex ?? null }, 'options of the setup');

/** `user@host:port` and flags as an entry of the list. */
export function newMachine(name: string, destination: string, { port, key, jump, root }: AddFlags): NewMachine {
  const parts = parseDestination(destination);
  if (port !== undefined && parts.port !== null) throw new InvalidArgumentError('The port is given twice: leave out --port.');
  return { kind: 'ssh', name, host: parts.host, user: parts.user, port: port ?? parts.port, key: key ?? null, jump: jump ?? null, root };
}

function showEvents(io: Io): (event: SetupEvent) => void {
  let progress: ReturnType<Io['progress']> | null = null;
  return (event) => {
    if (event.type === 'plan') {
      const due = event.steps.filter(({ state }) => state !== 'done');
      io.note(due.length === 0 ? 'All steps are done already.' : `To do: ${due.map(({ title, what }) => `${title} (${what})`).join('; ')}`);
    } else if (event.type === 'step') {
      progress?.finish();
      progress = null;
      io.note(event.state === 'running' ? `== ${event.name}` : `   ${event.name} done in ${formatDuration(event.seconds)}`);
    } else if (event.type === 'output') {
      // Text of a program there: no control sequences of it reach this terminal.
      for (const line of event.text.split(/[\r\n]+/)) if (line.trim() !== '') io.note(`   ${line.replaceAll(/\p{Cc}/gu, '')}`);
    } else if (event.type === 'progress') {
      progress ??= io.progress('   MB', Math.ceil(event.total / 1e6));
      progress.update(Math.ceil(event.done / 1e6));
    } else if (event.type === 'waiting') io.note(`   waiting: ${event.why}`);
  };
}

/** `machines setup NAME` */
export async function machinesSetup(machine: Machine, root: string, options: SetupOptions, io: Io): Promise<SetupReport> {
  const show = showEvents(io);
  for await (const event of setUpMachine(machine, root, options, io.signal)) {
    show(event);
    if (event.type === 'report') return event.report;
  }
  throw new Error('the setup ended without a report');
}

/** `machines fetch NAME MODEL` */
export async function machinesFetch(machine: Machine, root: string, model: string, io: Io): Promise<DownloadDone> {
  const token = await new Secrets().value('hf_token');
  const progress = io.progress(`${model} (MB)`, null);
  try {
    const endpoint = (await hubState()).endpoint.value;
    for await (const event of fetchModelThere(machine, root, model, { token, endpoint, signal: io.signal })) {
      if (event.type === 'done') return event;
      if (event.type === 'waiting') io.note(`waiting: ${event.why}`);
      else progress.update(Math.floor(event.bytes_done / 1e6), { total: Math.ceil(event.bytes / 1e6) });
    }
  } finally {
    progress.finish();
  }
  throw new Error(`${model} was not fetched`);
}

const collect = (text: string): string[] => text.split(',').map((hop) => hop.trim());

/** Adds `machines` and its verbs to the program. */
export function register(program: Command, io: Io): void {
  const machines = program.command('machines').description('list, add, check, set up and clean the machines that runs are carried out on');
  const reaching = (name: string, summary: string) =>
    machines
      .command(name)
      .description(summary)
      .argument('<machine>', 'its name in the list; local is this computer')
      .option('--accept-host-key <fingerprint>', 'SHA256:… of the host key, where it is new or has changed and you know that it is right');
  const setting = (name: string, summary: string) =>
    reaching(name, summary)
      .option('--python <path>', 'a Python there that has PyTorch and the packages of the engine already; nothing is installed then')
      .option('--node <path>', 'with --python: a Node there, 24 or later')
      .option('--torch-index <url>', 'install PyTorch from this index instead of the one that the driver asks for');

  machines
    .command('list')
    .description('the machines there are')
    .action(async () => {
      const list = await listMachines();
      io.out(list, () => machineListText(list));
    });
  machines
    .command('add')
    .description('add a machine; it is asked nothing yet')
    .argument('<name>', 'a name of your choice')
    .argument('<destination>', '[user@]host[:port], or a name of ~/.ssh/config')
    .option('--port <n>', 'port', wholeNumber(1, 65_535))
    .option('--key <file>', 'private key file; its passphrase is asked for, or taken from MEDLOGICTRACE_SSH_PASSPHRASE')
    .option('--jump <hosts>', 'hosts to go through, parted by commas', collect)
    .option('--root <folder>', 'the one folder there that is ours', '~/.medlogictrace')
    .option('--replace', 'take the place of a machine of this name')
    .action(async (name: string, destination: string, flags: AddFlags) => {
      const entry = await addMachine(newMachine(name, destination, flags), flags);
      io.out(entry, () => `${entry.name} added; look at it with: medlogictrace machines check ${entry.name}`);
    });
  setting('check', 'what a machine has, what it lacks, and what setup would do').action(async (name: string, flags: SetupFlags) => {
    const root = await rootOf(name);
    const found = await withMachine(name, io, flags, (machine) => checkMachine(machine, root, setupOptions(flags), io.signal));
    io.out(found, () => machineCheckText(found));
  });
  setting('setup', 'bring a machine to where runs can be started on it; may be repeated at any time').action(
    async (name: string, flags: SetupFlags) => {
      const root = await rootOf(name);
      const report = await withMachine(name, io, flags, async (machine) => {
        const made = await machinesSetup(machine, root, setupOptions(flags), io);
        const guarded = await guardAfterSetup(machine, new Pods({ client: runpodClient(new Secrets()), api: runpodApi() }), io.signal);
        if (guarded !== null) io.note('The guard of this pod is there: its limits are in force.');
        return made;
      });
      io.out(report, () => setupText(report));
    },
  );
  machines
    .command('fetch')
    .description('let a machine fetch a model of the Hugging Face Hub by its own line')
    .argument('<machine>', 'its name in the list')
    .argument('<model>', 'organisation/name or organisation/name@revision; a commit pins it')
    .option('--accept-host-key <fingerprint>', 'SHA256:… of the host key')
    .addHelpText(
      'after',
      '\nA token for models that ask for an account: HF_TOKEN, or the Hugging Face token in the settings of the window.',
    )
    .action(async (name: string, model: string, flags: ReachFlags) => {
      const root = await rootOf(name);
      const done = await withMachine(name, io, flags, (machine) => machinesFetch(machine, root, model, io));
      io.out(
        done,
        () => `${model} is on ${name} at commit ${done.commit}, in ${done.folder} (${(done.fetched / 1e6).toFixed(1)} MB fetched)`,
      );
    });
  reaching('clean', 'show what the one folder there holds, and with --yes remove it')
    .option('--yes', 'remove it, with the runs in it')
    .option('--force', 'also where runs go on')
    .action(async (name: string, flags: ReachFlags & { yes?: boolean; force?: boolean }) => {
      const root = await rootOf(name);
      const cleaned = await withMachine(name, io, flags, (machine) =>
        cleanMachine(machine, root, { yes: flags.yes === true, force: flags.force === true }),
      );
      io.out(cleaned, () => cleanedText(cleaned));
    });
  machines
    .command('queue')
    .description('who has the places of a machine, and who waits for one')
    .argument('<machine>', 'its name in the list; local is this computer')
    .option('--slots <n>', 'from now on so many runs of one place side by side, on a machine without GPUs', wholeNumber(1, 1024))
    .action(async (name: string, flags: { slots?: number }) => {
      const { queueOn, setSlotsOn } = await import('../workbench/remote/list-remote.ts');
      const { setSlotsHere, viewHere } = await import('../workbench/remote/queue-here.ts');
      const { askWith, closeMachines, openMachine: open } = await import('../workbench/remote/machines.ts');
      const { queueText } = await import('./remote-text.ts');
      const { slots } = flags;
      if (name !== 'local') askWith(async () => questions(io));
      const queue =
        name === 'local'
          ? slots === undefined
            ? viewHere()
            : setSlotsHere(slots)
          : slots === undefined
            ? await queueOn(name, open)
            : await setSlotsOn(name, slots, open);
      await closeMachines();
      io.out({ machine: name, queue }, () => queueText(name, queue));
    });
  machines
    .command('remove')
    .description('forget a machine and its host key; what is on it stays')
    .argument('<machine>', 'its name in the list')
    .action(async (name: string) => {
      await removeMachine(name);
      io.out({ removed: name }, () => `${name} is no longer in the list; what is on it stays there`);
    });
  registerPods(machines, io);
}
