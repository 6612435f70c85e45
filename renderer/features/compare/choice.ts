/** What is compared and how it is looked at: all of it in the address, so that a comparison can be kept as a bookmark. */
import { useMemo } from 'react';
import { COMPARABLE, type Comparable } from '../../../shared/compare.ts';
import { CompareRef } from '../../../shared/rpc/compare.ts';
import { useParameter } from '../../app/address.ts';

export interface Choice {
  with: readonly string[];
  /** Null: the first. */
  reference: string | null;
  allow: readonly Comparable[];
  /** Parts of the address that name no folder of runs. */
  unread: readonly string[];
  setWith(refs: readonly string[]): void;
  setReference(ref: string | null): void;
  setAllow(allow: readonly Comparable[]): void;
  /** As the services take it; the same object while nothing changes. */
  input: { with: string[]; reference: string | null; allow: Comparable[] };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
/** Refs stand separated by commas; those in a name are written as %2C. */
const written = (refs: readonly string[]): string => refs.map((ref) => ref.replaceAll('%', '%25').replaceAll(',', '%2C')).join(',');

export function useChoice(): Choice {
  const [list, setList] = useParameter('with');
  const [reference, setReference] = useParameter('reference');
  const [allowed, setAllowed] = useParameter('allow');
  return useMemo(() => {
    const all = [...new Set((list ?? '').split(',').map(decoded).filter(Boolean))];
    const refs = all.filter((ref) => CompareRef.safeParse(ref).success).slice(0, 100);
    const allow = COMPARABLE.filter((name) => (allowed ?? '').split(',').includes(name));
    const marked = reference !== null && refs.includes(reference) ? reference : null;
    return {
      with: refs,
      reference: marked,
      allow,
      unread: all.filter((ref) => !refs.includes(ref)),
      setWith: (next) => setList(written(next)),
      setReference,
      setAllow: (next) => setAllowed(next.join(',')),
      input: { with: refs, reference: marked, allow },
    };
  }, [list, reference, allowed, setList, setReference, setAllowed]);
}
