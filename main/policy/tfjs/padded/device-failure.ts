/**
 * A device that failed. `memory`: it is full, the weights are as they were. `lost`: it is gone, and the weights with it. `failed`: it did
 * something else than it was told.
 */
export class DeviceFailure extends Error {
  override name = 'DeviceFailure';
  readonly kind: 'memory' | 'lost' | 'failed';
  constructor(kind: DeviceFailure['kind'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}
