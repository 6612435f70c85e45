/** Answer text without its dress: LaTeX, markdown emphasis, full-width forms and typographic signs become plain characters. */

const SUPERSCRIPTS = '⁰¹²³⁴⁵⁶⁷⁸⁹';
const VULGAR = /[¼½¾⅐-⅞]/g;

/** `m²` → `m^2`, `h⁻¹` → `h^-1`: before NFKC, which would make `10³` into `103`. */
const writtenPowers = (text: string): string =>
  text.replace(
    /[⁻⁺]?[⁰¹²³⁴-⁹]+/g,
    (run) => `^${[...run].map((c) => (c === '⁻' ? '-' : c === '⁺' ? '' : String(SUPERSCRIPTS.indexOf(c)))).join('')}`,
  );

function withoutLatex(text: string): string {
  if (!text.includes('\\') && !text.includes('{')) return text;
  return text
    .replace(/\{,\}/g, ',')
    .replace(/\\(?:text|textbf|textit|textrm|mathrm|mathbf|mathit|mathsf|operatorname|bf|rm)\s*\{([^{}]*)\}/g, '$1')
    .replace(/\\[dt]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}/g, ' $1/$2')
    .replace(/\\(?:times|cdot)(?![a-zA-Z])/g, '×')
    .replace(/\\approx(?![a-zA-Z])/g, '=')
    .replace(/\^\{?\\circ\}?/g, '°')
    .replace(/\\(?:left|right|displaystyle|quad|qquad)(?![a-zA-Z])/g, ' ')
    .replace(/\\[ ,;:!]/g, ' ')
    .replace(/\\([%$#&_])/g, '$1')
    .replace(/\\[()[\]]/g, ' ');
}

/**
 * Plain form of an answer. Currency signs and emphasis marks go (an asterisk between numbers stays: it multiplies), quotes and
 * dashes become ASCII, U+2212 becomes `-`, any bracket of CJK text becomes `(` or `)`.
 */
export function plainText(text: string): string {
  let out = text;
  // Pure ASCII needs none of this; testing first keeps short answers fast.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the ASCII range starts at U+0000
  if (/[^\x00-\x7f]/.test(out)) {
    out = writtenPowers(out)
      .replace(VULGAR, (c) => ` ${c.normalize('NFKC')}`)
      .normalize('NFKC')
      .replace(/\u2044/g, '/')
      .replace(/[\u2018\u2019\u201b\u02bc`\u00b4]/g, "'")
      .replace(/[\u201c\u201d\u201e\u00ab\u00bb]/g, '"')
      .replace(/[\u3010\u300c\u300e\u3014]/g, '(')
      .replace(/[\u3011\u300d\u300f\u3015]/g, ')')
      .replace(/[\u2010\u2011\u2012\u2212]/g, '-')
      .replace(/[\u2013\u2014\u2015]/g, '\u2013')
      .replace(/\u3002/g, '. ')
      .replace(/\u3001/g, ', ')
      .replace(/[\u00a0\u2000-\u200a\u202f]/g, ' ')
      .replace(/[\u200b-\u200d\u2060\ufeff]/g, '')
      .replace(/\u2026/g, '...')
      .replace(/[\u2022\u25cf\u25aa]/g, '-')
      .replace(/[\u20ac\u00a3\u20b9\u00a5]/g, '');
  }
  return (
    withoutLatex(out)
      .replace(/<\/?(?:b|i|u|p|em|strong|span|code|br)\s?\/?>/gi, '')
      .replace(/\r\n?/g, '\n')
      // Long runs of blanks mean nothing and would cost time in every pattern below.
      .replace(/[^\S\n]{3,}/g, '  ')
      .replace(/\n(?:[^\S\n]{0,2}\n){2,}/g, '\n\n')
      .replace(/(["'()[\].,;:!?*#>-])\1{8,}/g, '$1$1$1$1')
      .replace(/`/g, '')
      .replace(/\*{2,3}|__/g, '')
      .replace(/(?<![\d\s)])\*|\*(?![\d\s(])/g, '')
      .replace(/\$/g, '')
  );
}
