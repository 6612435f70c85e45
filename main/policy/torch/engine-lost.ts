/**
 * The PyTorch engine ended while it was needed: a rank was killed, ran out of memory, or crashed. Weights and optimizer of this policy are
 * gone; a new policy that loads the last checkpoint goes on from there.
 */
export class EngineLost extends Error {
  override name = 'EngineLost';
  /** The rank that ended first, where it is known. */
  readonly rank: number | null;

  constructor(message: string, rank: number | null = null) {
    super(message);
    this.rank = rank;
  }
}
