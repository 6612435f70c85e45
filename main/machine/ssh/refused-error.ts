/** The machine or we ourselves say no, and trying again changes nothing: the user must look first. */
import { MachineError } from '../machine.ts';

export type Refusal = 'authentication' | 'host_key' | 'configuration';

export class RefusedError extends MachineError {
  override name = 'RefusedError';
  readonly reason: Refusal;
  /** SHA-256 of the host key that was shown, where that is the reason. */
  readonly offered: string | null;
  constructor(reason: Refusal, message: string, offered: string | null = null) {
    super('refused', message);
    this.reason = reason;
    this.offered = offered;
  }
}
