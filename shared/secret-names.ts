/** Secrets that the workbench may be given, and the environment variables that give them. */
import { z } from 'zod';

export const SecretName = z.enum(['runpod_api_key', 'hf_token', 'ssh_passphrase']);
export type SecretName = z.infer<typeof SecretName>;

export const SECRETS: Readonly<Record<SecretName, { variable: string; title: string; what: string }>> = {
  runpod_api_key: { variable: 'RUNPOD_API_KEY', title: 'RunPod API key', what: 'Rents and stops machines on your account.' },
  hf_token: { variable: 'HF_TOKEN', title: 'Hugging Face token', what: 'Reads models and data sets that ask for an account.' },
  ssh_passphrase: {
    variable: 'MEDLOGICTRACE_SSH_PASSPHRASE',
    title: 'SSH passphrase',
    what: 'Opens the key files by which machines let you in, where no agent does.',
  },
};

/** The environment without secrets: for processes that need none, so that none can stand in what they write. */
export function withoutSecrets<T extends Record<string, string | undefined>>(environment: T): T {
  const kept = { ...environment };
  for (const { variable } of Object.values(SECRETS)) delete kept[variable];
  return kept;
}
