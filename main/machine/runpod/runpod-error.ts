/** Why RunPod did not do what was asked, in words for its user. Never holds the key. */

export type RunpodErrorKind =
  /** 401: no key, or one that RunPod does not know. */
  | 'key'
  /** 403: the key may not do this. */
  | 'forbidden'
  /** 402: the account's balance is not enough. */
  | 'balance'
  /** 400: a rule was broken or there is no such machine free; the API has one status for both. */
  | 'rejected'
  /** 404 */
  | 'not_found'
  /** 409: not in the pod's present state. */
  | 'conflict'
  /** 422: the request does not fit the API. */
  | 'invalid'
  /** 429, longer than we wait. */
  | 'rate'
  /** 5xx */
  | 'server'
  /** No answer: no network, or none in time. */
  | 'network'
  /** An answer that fits no schema. */
  | 'answer';

export class RunpodError extends Error {
  override name = 'RunpodError';
  readonly kind: RunpodErrorKind;
  readonly status: number | null;
  constructor(kind: RunpodErrorKind, status: number | null, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
    this.status = status;
  }

  /** Nothing is known of whether it was done: an answer was lost, or a server failed on its way (a pod can exist after a 5xx). */
  get uncertain(): boolean {
    return this.kind === 'server' || this.kind === 'network' || (this.kind === 'answer' && this.status !== null && this.status < 300);
  }
}

const kinds: Record<number, RunpodErrorKind> = {
  400: 'rejected',
  401: 'key',
  402: 'balance',
  403: 'forbidden',
  404: 'not_found',
  409: 'conflict',
  422: 'invalid',
  429: 'rate',
};

export const kindOfStatus = (status: number): RunpodErrorKind => kinds[status] ?? (status >= 500 ? 'server' : 'rejected');

/** What to do about it. */
export const CURES: Partial<Record<RunpodErrorKind, string>> = {
  key: 'set a RunPod API key in Settings, as RUNPOD_API_KEY, or make a new one at console.runpod.io under Settings',
  forbidden: 'the key needs read and write access to pods and to the account’s SSH keys; change it at console.runpod.io under Settings',
  balance:
    'RunPod wants credit for at least one hour of the pod; add credit at console.runpod.io under Billing, or take fewer or cheaper GPUs',
  rate: 'RunPod limits how often it may be asked; try again in a few minutes',
  server: 'RunPod itself fails; try again in a few minutes',
  network: 'look at the network connection and try again',
  answer: 'RunPod’s API may have changed since this version; look for a newer one',
};
