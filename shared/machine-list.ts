/** The user's machines, as they are kept and shown. */
import { z } from 'zod';
import { ConnectionState } from './machine-connection.ts';

/** `local` is this computer, which is always there. */
export const MachineName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9._-]{0,62}$/, 'a machine name begins with a letter and holds letters, digits, ., _ and -')
  .refine((name) => name !== 'local', 'local is this computer; choose another name');
export type MachineName = z.infer<typeof MachineName>;

/** Folder there that holds all that is ours. Everything in it is removed by `machines clean`. */
export const MachineRoot = z
  .string()
  .regex(/^(~\/|\/)[A-Za-z0-9._/-]+$/, 'a folder on the machine begins with / or ~/ and holds letters, digits, ., _, - and /')
  .refine((path) => !path.split('/').includes('..'), 'a folder on the machine holds no ..')
  .refine((path) => path.split('/').filter((part) => part !== '' && part !== '~').length >= (path.startsWith('~') ? 1 : 2), {
    message: 'give a folder of its own, such as ~/.medlogictrace: machines clean removes all in it',
  });

const hostPattern = /^[A-Za-z0-9_:][A-Za-z0-9._:%-]*$/;

/** Reached as ssh would reach it: a name of `~/.ssh/config`, or an address. What is null is as that file says. */
export const SshMachineEntry = z.strictObject({
  kind: z.literal('ssh'),
  name: MachineName,
  host: z.string().regex(hostPattern, 'expected a host name, an address, or a name of ~/.ssh/config'),
  user: z
    .string()
    .regex(/^[A-Za-z0-9_.][A-Za-z0-9_.@+-]*$/, 'expected a user name')
    .nullable()
    .default(null),
  port: z.number().int().min(1).max(65_535).nullable().default(null),
  /** Private key file on this computer. */
  key: z.string().min(1).nullable().default(null),
  /** Hosts to go through, `[user@]host[:port]`. */
  jump: z.array(z.string().min(1)).max(8).nullable().default(null),
  root: MachineRoot.default('~/.medlogictrace'),
});
export type SshMachineEntry = z.infer<typeof SshMachineEntry>;

/** A pod of RunPod, found by its id: its address and port are asked for before each connection, since they change. */
export const RunpodMachineEntry = z.strictObject({
  kind: z.literal('runpod'),
  name: MachineName,
  pod: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'a pod id holds letters, digits, - and _'),
  /** Private key file on this computer. */
  key: z.string().min(1).nullable().default(null),
  /** On the volume: everything else is erased when the pod stops. */
  root: MachineRoot.default('/workspace/medlogictrace'),
});
export type RunpodMachineEntry = z.infer<typeof RunpodMachineEntry>;

export const MachineEntry = z.discriminatedUnion('kind', [SshMachineEntry, RunpodMachineEntry]);
export type MachineEntry = z.infer<typeof MachineEntry>;
export type NewMachine = z.input<typeof MachineEntry>;

/** `machines.json` of the home folder. */
export const MachineFile = z.strictObject({ version: z.literal(1), machines: z.array(MachineEntry) });

export const MachineListing = z.object({
  name: z.string(),
  kind: z.enum(['local', ...MachineEntry.options.map((option) => option.shape.kind.value)]),
  /** How it is reached, in words: `user@host:port`. */
  address: z.string(),
  root: z.string().nullable(),
  /** SHA-256 of the host key that was accepted; null: it will be asked for. */
  host_key: z.string().nullable(),
  /** Of the app that lists; a command line has none. */
  connection: ConnectionState.nullable(),
});
export type MachineListing = z.infer<typeof MachineListing>;
export const MachineList = z.array(MachineListing);
