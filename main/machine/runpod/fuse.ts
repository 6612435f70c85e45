/**
 * The start command of a pod (pods/templates/manage-templates, "Container start command"): the image's own `/start.sh`, and beside it a fuse
 * that stops the pod after so many seconds unless a guard (main/machine/pod-guard.ts) lives there by then. So a pod is limited from its first
 * second, even if the laptop is shut before anything could be installed on it.
 */

export interface FuseOptions {
  /** Until it blows. */
  seconds: number;
  /** Folder of guards on the pod; each pod's has its id as name. */
  guards: string;
  /** @default RUNPOD_API */
  api?: string;
  /** Between two tries. @default 60 */
  everySeconds?: number;
  /** @default /start.sh */
  start?: string;
}

const plain = (text: string): string => {
  // Stands inside quotes of a shell; none of these may end them.
  if (!/^[A-Za-z0-9:/._-]+$/.test(text)) throw new Error(`${JSON.stringify(text)} cannot stand in a start command`);
  return text;
};

/**
 * The key stands in the pod's environment and never in this text. A guard is believed for five minutes after it was seen last. `curl` first,
 * then `runpodctl`, which images bring (pods/manage-pods, "Stop a Pod").
 */
export function fuseCommand({
  seconds,
  guards,
  api = 'https://api.runpod.io',
  everySeconds = 60,
  start = '/start.sh',
}: FuseOptions): string {
  const state = `${plain(guards)}/$RUNPOD_POD_ID/guard-state.json`;
  const stop =
    'curl -fsS -m 60 -X POST -H "Authorization: Bearer $RUNPOD_API_KEY" -H "Content-Type: application/json" ' +
    `-d "{\\"action\\":\\"stop\\"}" "${plain(api)}/v2/pods/$RUNPOD_POD_ID/action" || runpodctl pod stop "$RUNPOD_POD_ID"`;
  const loop = `while :; do [ -n "$(find "${state}" -mmin -5 2>/dev/null)" ] || { ${stop}; }; sleep ${everySeconds}; done`;
  return `bash -c '(sleep ${Math.ceil(seconds)}; ${loop}) & exec ${plain(start)}'`;
}
