/** Whether a single letter in a text stands for an option or is part of the prose around it. */

/** What may follow a letter that stands for an option; anything else makes it part of a word group ("B cells", "A patient"). */
const REASON =
  /^\s*(?:$|[.,;:!?)\]\n/]|\u2013|- |\((?!\w\))|(?:because|since|as|due|for|and|or|but|is|was|would|seems|not|rather|instead|over|here|based|given|which|so|that|on|it is)\b)/i;

/** Whether the letter at [start, end) of `text`, as written, stands for an option. `own` are the options' normal texts. */
export function standsForOption(text: string, written: string, start: number, end: number, own: readonly string[]): boolean {
  const rest = text.slice(end);
  const bracketed = /["'([]$/.test(text.slice(0, start)) || /^["')\]]/.test(rest);
  const afterClosing = rest.replace(/^["')\]]+/, '');
  if (/^-\w/.test(afterClosing) || /^\s*[&+]/.test(afterClosing)) return false;
  if (followedByOwnText(afterClosing, written, own)) return true;
  if (bracketed) return true;
  const lower = written !== written.toUpperCase();
  // "a" and "i" are words of their own; a small letter needs an end after it unless it is b, c, d, …
  if (lower && !/^\s*(?:$|[.,;:!?)\]\n])/.test(afterClosing) && /[ai]/i.test(written)) return false;
  if (/^i$/i.test(written)) return /^\s*(?:$|[.)\]:\n])/.test(afterClosing);
  // "C. difficile" is a name, if an option writes it so.
  const binomial = /^\.\s?[a-z]+/.exec(afterClosing);
  if (binomial && own.some((option) => option.startsWith(`${written.toLowerCase()}${binomial[0]}`))) return false;
  return REASON.test(afterClosing);
}

/** Whether what follows the letter is that option's own text. */
export function followedByOwnText(rest: string, letter: string, own: readonly string[]): boolean {
  const text = own[letter.toUpperCase().charCodeAt(0) - 65];
  if (!text) return false;
  const next = rest.toLowerCase().replace(/^[\s.:;,)\]("'\u2013-]+/, '');
  return next.startsWith(text) && !/^\w/.test(next.slice(text.length));
}

/** Another letter joined to the first: "A or B", "A, B, C", "A. B. C." */
export const JOINED =
  /^["')\]]*\s*(?:,|\/|&|\+|\bor\b|\band\b|\bto\b|-|;|\.|\n)+\s*(?:or\s+|and\s+)?["'([]*(?:(?:option|choice)\s+)?["'([]*([A-J])(?:["')\]]*\s*(?:[.,;:!?\n)/&+]|$|(?:or|and|are|both)\b))/i;
