/** Where in a text its extracted answer stands, so that a reader can see what the grader saw. */

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** `1234.5` may be written `1,234.50`, `6` as `6.0`: digits with optional group marks and trailing zeros. */
function numberPattern(value: string): string {
  const [whole = '', fraction = ''] = value.replace(/^[-\u2212]/, '').split('.');
  const digits = whole.replace(/\B(?=(\d{3})+$)/g, '[,\u202f\u00a0 ]?');
  const sign = /^[-\u2212]/.test(value) ? '[-\u2212]\\s?' : '';
  return `${sign}(?<![\\d.])${digits}${fraction === '' ? '(?:\\.0+)?' : `\\.${fraction}0*`}(?!\\.?\\d)`;
}

/**
 * Start and end (UTF-16 units) of the last mention of `answer`, after the last "Answer:" marker where it is mentioned there; the text of
 * the option it stands for where the letter itself is not written. A number's unit is part of it where it is written as in the answer. Null for an invalid answer, or one written in another form.
 */
export function answerSpan(text: string, answer: string, options: readonly string[] = []): [number, number] | null {
  if (answer === 'invalid' || answer === '') return null;
  const quantity = /^([-\u2212]?\d+(?:\.\d+)?)(?: (.+))?$/.exec(answer);
  const word = quantity
    ? `${numberPattern(quantity[1] ?? '')}${quantity[2] ? `(?:\\s?${escaped(quantity[2])})?` : ''}`
    : `(?<![\\p{L}\\p{N}])${escaped(answer)}(?![\\p{L}\\p{N}])`;
  const letter = /^[A-Z]$/.test(answer);
  const option = letter ? options[answer.charCodeAt(0) - 65] : undefined;
  const marker = [...text.matchAll(/answer\s*:/gi)].at(-1);
  const afterMarker = marker ? [marker.index + marker[0].length] : [];
  const patterns = [
    // A lone capital first: "a" is a word of every English sentence.
    new RegExp(word, letter ? 'gu' : 'giu'),
    ...(letter ? [new RegExp(word, 'giu')] : []),
    ...(option ? [new RegExp(escaped(option), 'giu')] : []),
  ];
  for (const start of [...afterMarker, 0]) {
    for (const pattern of patterns) {
      const last = [...text.slice(start).matchAll(pattern)].at(-1);
      if (last) return [start + last.index, start + last.index + last[0].length];
    }
  }
  return null;
}
