/** Storage for one computation: tfjs tensors handed out as addresses, all freed together or one by one. */
import type { Tensor } from '@tensorflow/tfjs-core';
import type { Backend } from './backend.ts';
import type { Address } from './kernels.ts';

/** A row-major float32 matrix in the backend's memory. */
export interface Matrix {
  address: Address;
  rows: number;
  width: number;
}

export class Scope {
  private readonly backend: Backend;
  private readonly live = new Map<Address, Tensor>();

  constructor(backend: Backend) {
    this.backend = backend;
  }

  private take(shape: number[], dtype: 'float32' | 'int32'): Address {
    const tensor = this.backend.allocate(shape, dtype);
    const address = this.backend.address(tensor);
    this.live.set(address, tensor);
    return address;
  }

  /** Not initialised. */
  matrix(rows: number, width: number): Matrix {
    return { address: this.take([Math.max(1, rows), width], 'float32'), rows, width };
  }

  /** n floats, not initialised. */
  floats(n: number): Address {
    return this.take([Math.max(1, n)], 'float32');
  }

  /** n whole numbers, not initialised. */
  integers(n: number): Address {
    return this.take([Math.max(1, n)], 'int32');
  }

  /** A copy of `values`. */
  integersOf(values: ArrayLike<number>): Address {
    const address = this.integers(values.length);
    this.viewIntegers(address, values.length).set(values);
    return address;
  }

  /** A window on n floats; it is void once the memory grows, so use it before the next allocation. */
  viewFloats(address: Address, n: number): Float32Array {
    return new Float32Array(this.backend.memory.buffer, address, n);
  }

  viewIntegers(address: Address, n: number): Int32Array {
    return new Int32Array(this.backend.memory.buffer, address, n);
  }

  free(...items: (Matrix | Address)[]): void {
    for (const item of items) {
      const address = typeof item === 'number' ? item : item.address;
      const tensor = this.live.get(address);
      if (!tensor) throw new Error(`address ${address} does not belong to this scope`);
      this.live.delete(address);
      tensor.dispose();
    }
  }

  dispose(): void {
    for (const tensor of this.live.values()) tensor.dispose();
    this.live.clear();
  }
}
