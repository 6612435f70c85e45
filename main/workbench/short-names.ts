/** Names for tables and figures, from paths: as short as they can be and still be told apart. */

/** Ends that say what kind of thing it is, not which one. */
const EMPTY_ENDS = /\/(model|evaluation\.json|items\.jsonl)$|\.json$|\/$/;

function partsOf(path: string): string[] {
  let rest = path;
  while (EMPTY_ENDS.test(rest)) rest = rest.replace(EMPTY_ENDS, '');
  return rest.split('/').filter(Boolean);
}

/** For each path its last part, or as many of its last parts as make it differ from the others; equal paths keep equal names. */
export function shortNames(paths: readonly string[]): string[] {
  const all = paths.map(partsOf);
  const name = (parts: readonly string[], length: number) => parts.slice(-length).join('/');
  return all.map((parts, i) => {
    const whole = parts.join('/');
    for (let length = 1; length < parts.length; length++) {
      const mine = name(parts, length);
      if (all.every((other) => other.join('/') === whole || name(other, length) !== mine)) return mine;
    }
    return whole || (paths[i] ?? '');
  });
}
