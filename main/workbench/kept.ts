/** The few things that were used last: what takes long to read is kept, not for ever. */
export class Kept<T> {
  private readonly most: number;
  private readonly values = new Map<string, T>();

  constructor(most: number) {
    this.most = most;
  }

  /** The value of `key`, made where it is not there; the one used longest ago makes room. */
  get(key: string, make: () => T): T {
    const found = this.values.get(key) ?? make();
    this.values.delete(key);
    this.values.set(key, found);
    const [oldest] = this.values.keys();
    if (this.values.size > this.most && oldest !== undefined) this.values.delete(oldest);
    return found;
  }

  drop(key: string): void {
    this.values.delete(key);
  }
}
