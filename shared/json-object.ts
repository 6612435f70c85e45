/** Plain JSON objects, and keys that must never become part of one. */
import { InputError } from './input-error.ts';

export type JsonObject = Record<string, unknown>;

export const isPlainObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Names through which a careless assignment reaches what all objects share. */
const UNSAFE_KEYS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** Errors: InputError where `key` could reach the prototype that all objects share; no setting has such a name. */
export function refuseUnsafeKey(key: string, what: string): void {
  if (UNSAFE_KEYS.has(key)) throw new InputError(`${what}: "${key}" cannot be the name of a setting; leave it out`, key);
}

/** Errors: as `refuseUnsafeKey`, for every key at any depth. */
export function refuseUnsafeKeys(value: unknown, what: string): void {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inside] of Object.entries(value)) {
    refuseUnsafeKey(key, what);
    refuseUnsafeKeys(inside, what);
  }
}
