/** Answers that give an option's text in place of its letter. */
import { deniedBefore } from './commitment.ts';

/** Lower case, one space, no quotes or closing punctuation round it: what two writings of one option share. */
export const normalOption = (text: string): string =>
  text
    .toLowerCase()
    .replace(/\s+/g, ' ')
    .replace(/ (?=%)/g, '')
    .replace(/^[\s"'([]+/, '')
    .replace(/[\s"')\].,;:!?]+$/, '');

/** The one option whose whole text `segment` is; -1 where none or several are. */
export function exactOption(segment: string, options: readonly string[]): number {
  const wanted = normalOption(segment);
  if (wanted === '') return -1;
  const first = options.indexOf(wanted);
  return first >= 0 && options.indexOf(wanted, first + 1) < 0 ? first : -1;
}

const DELIMITED = /^["')\]]*\s*(?:[.,;!?\n)]|\u2013|$|(?:because|since|which|as|due|for|\()(?![a-z]))/;

/** "metformin is first-line therapy", not "metformin is contraindicated". */
const ASSERTED = /^\s+(?:is|are|was|has|would|can|should)\s+(?!not\b|never\b|the wrong|incorrect|wrong|false|contraindicated|unlikely)/;

/** "Warfarin, because …": an option given with its reason, in text without a marker. */
export const REASONED = /^["')]*,?\s+(?:because|since)\b/;

/** The longest option that `text` begins with, ended by punctuation or a reason; -1 where none does. */
export function leadingOption(text: string, options: readonly string[], marked: boolean): number {
  const lower = text
    .toLowerCase()
    .replace(/^[\s"'([]+/, '')
    .replace(/^(?:the|an?)\s+(?=\w)/, (article) => (startsOption(text, options, article) ? article : ''));
  let best = -1;
  options.forEach((option, index) => {
    if (
      option === '' ||
      !lower.startsWith(option) ||
      !(DELIMITED.test(lower.slice(option.length)) || (marked && ASSERTED.test(lower.slice(option.length))))
    )
      return;
    if (best < 0 || option.length > (options[best] ?? '').length) best = index;
  });
  return best >= 0 && options.indexOf(options[best] ?? '', best + 1) < 0 ? best : -1;
}

const startsOption = (text: string, options: readonly string[], article: string): boolean => {
  const lower = text.toLowerCase().replace(/^[\s"'([]+/, '');
  return options.some((option) => option.startsWith(article) && lower.startsWith(option));
};

const SAID_BEFORE =
  /(?:^|[\s,;:])(?:it is|it's|it must be|it would be|it should be|this is|that is|that's|choose|pick|select|go with|say|prescribe|recommend|(?:answer|option|choice|drug|diagnosis|treatment|cause|one) (?:is|would be|should be)|(?:best|correct|right|preferred|ideal|first[- ]line|most (?:likely|appropriate|suitable))\b[^.,;\n]{0,40} (?:is|would be)|most likely|therefore|thus|so|hence)[,:]?\s*(?:the |an? |probably |most likely |likely |indeed )*["'([]*$/;
const SAID_AFTER =
  /^["')\]]*\s+(?:is|are|would be|seems|must be|should be)\s+(?:the |my |clearly |definitely |probably |indeed |most |single |likely |only )*(?:correct|right|best|appropriate|answer|choice|option)\b/;

/** Options that a sentence of `text` commits to ("it is X", "X is the correct answer"); an occurrence inside a longer option's is left out. */
export function statedOptions(text: string, options: readonly string[]): number[] {
  const lower = text.toLowerCase();
  const found: { index: number; start: number; end: number; stated: boolean }[] = [];
  options.forEach((option, index) => {
    if (option.length < 2) return;
    for (let at = lower.indexOf(option); at >= 0; at = lower.indexOf(option, at + option.length)) {
      const end = at + option.length;
      if (/\w/.test(lower.charAt(at - 1)) || /\w/.test(lower.charAt(end))) continue;
      const before = lower.slice(Math.max(0, at - 60), at);
      const after = lower.slice(end, end + 80);
      const atStart = /(?:^|[.;:!?\n,]|\b(?:so|therefore|thus|hence|that|option|choice)) *(?:the |an? )?["'([]*$/.test(before);
      const stated =
        !deniedBefore(lower, at) && ((SAID_BEFORE.test(before) && DELIMITED.test(after)) || (atStart && SAID_AFTER.test(after)));
      found.push({ index, start: at, end, stated });
    }
  });
  const whole = found.filter((a) => !found.some((b) => b.start <= a.start && b.end >= a.end && b.end - b.start > a.end - a.start));
  return [...new Set(whole.filter((a) => a.stated).map((a) => a.index))];
}
