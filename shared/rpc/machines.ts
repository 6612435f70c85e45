/** Routes and topics of the window's "machines" view. No route gives or names a secret; a passphrase only ever goes in. */
import { z } from 'zod';
import { DownloadEvent } from '../hub-model.ts';
import { MachineCheck } from '../machine-check.ts';
import { ConnectionState } from '../machine-connection.ts';
import { MachineEntry, MachineList, MachineName } from '../machine-list.ts';
import { MachineCleaned, SetupEvent, SetupOptions } from '../machine-setup.ts';

/** `local`, or a machine of the list. */
const AnyMachine = z.union([z.literal('local'), MachineName]);
const One = z.strictObject({ machine: AnyMachine });
const Fingerprint = z.string().regex(/^SHA256:[A-Za-z0-9+/]{43}$/, 'expected SHA256: and 43 characters');

export const machinesRoutes = {
  /** This computer first. */
  'machines.list': { input: z.strictObject({}), output: MachineList },
  /** Asks nothing of the machine yet; `machines.connect` does. `replace`: takes the place of one of its name. */
  'machines.add': {
    input: z.strictObject({ machine: MachineEntry, replace: z.boolean().default(false) }),
    output: MachineEntry,
  },
  /** Forgets it and its host key; what is on it stays. */
  'machines.remove': { input: z.strictObject({ machine: MachineName }), output: z.strictObject({}) },
  /**
   * One attempt. Where it ends `refused` for `host_key`, show `offered` and `message`, and ask again with `accept_host_key` once the user has
   * said yes; for `authentication` with a passphrase missing, ask again with `passphrase`, which is kept in memory only.
   */
  'machines.connect': {
    input: One.extend({ accept_host_key: Fingerprint.optional(), passphrase: z.string().min(1).max(1000).optional() }),
    output: ConnectionState,
  },
  /** Closes the connection; what runs there goes on. */
  'machines.disconnect': { input: One, output: z.strictObject({}) },
  /** "Retry now": the next attempt is made at once. */
  'machines.retry': { input: One, output: z.strictObject({}) },
  /** Ends a setup and the step of it that goes on there. What is done stays. */
  'machines.stop_setup': { input: One, output: z.object({ stopped: z.boolean() }) },
  'machines.check': { input: One.extend({ options: SetupOptions.prefault({}) }), output: MachineCheck },
  /** What the one folder there holds; with `yes` it is removed for good, with `force` also where runs go on. */
  'machines.clean': { input: One.extend({ yes: z.boolean(), force: z.boolean().default(false) }), output: MachineCleaned },
} as const;

export const machinesTopics = {
  /** How the connections stand, anew at each change: one entry for each machine that was asked for. */
  'machines.connections': {
    input: z.strictObject({}),
    item: z.array(z.object({ machine: z.string(), connection: ConnectionState })),
  },
  /**
   * Carries a setup out, or joins the one that goes on (its items from the beginning; `options` do not count then). The last item is the
   * report. To stop following does not stop it: `machines.stop_setup` does.
   */
  'machines.setup': { input: One.extend({ options: SetupOptions.prefault({}) }), item: SetupEvent },
  /** The machine fetches a model of the hub by its own line. The last item is `done`. To stop following stops it; it can be gone on with. */
  'machines.fetch_model': { input: One.extend({ model: z.string().min(1).max(400) }), item: DownloadEvent },
} as const;
