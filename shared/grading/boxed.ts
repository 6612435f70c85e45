/** What stands in the last `\boxed{…}` or `\fbox{…}` of a text, braces inside it balanced. */

/** The content of the last box, or null where there is none or its brace is never closed. `\boxed 5` counts as well. */
export function lastBoxed(text: string): string | null {
  const at = Math.max(text.lastIndexOf('\\boxed'), text.lastIndexOf('\\fbox'));
  if (at < 0) return null;
  const rest = text.slice(at).replace(/^\\(?:boxed|fbox)/, '');
  if (!/^\s*\{/.test(rest)) return /^\s+([^\s$\\]+)/.exec(rest)?.[1] ?? null;
  const open = rest.indexOf('{');
  let depth = 0;
  for (let i = open; i < rest.length; i++) {
    if (rest[i] === '\\') i++;
    else if (rest[i] === '{') depth++;
    else if (rest[i] === '}' && --depth === 0) return rest.slice(open + 1, i);
  }
  return null;
}
