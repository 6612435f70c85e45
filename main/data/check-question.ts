/** What must hold of every question, whatever its source, and what is worth a remark. */
import { optionLetter, type Question } from '../../shared/question.ts';
import { BadRow } from './bad-row.ts';

/** An id names a question in tables, messages and files of results; one that could name another place on disk is refused. */
const PATH_LIKE = /(?:^|[/\\])\.\.?(?:[/\\]|$)|^[/~]|^[A-Za-z]:[\\/]|\\/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u001f\u007f]/;
const ID_LIMIT = 200;

const texts = (q: Question): [field: string, text: string][] => [
  ['id', q.id],
  ['question', q.question],
  ['solution', q.solution ?? ''],
  ...(q.options ?? []).map((text, index): [string, string] => [`option ${optionLetter(index)}`, text]),
  ...(q.contexts ?? []).map((text, index): [string, string] => [`context ${index + 1}`, text]),
];

function checkGold(q: Question): void {
  if (q.gold === '') return;
  if (q.kind === 'letter') {
    const options = q.options ?? [];
    const chosen = options[q.gold.charCodeAt(0) - 65];
    if (q.gold.length !== 1 || chosen === undefined) {
      throw new BadRow('gold', q.gold, `no option has this letter; there are ${options.length}`);
    }
    if (chosen.trim() === '') throw new BadRow('gold', q.gold, 'the option that it names is empty');
  }
  if (q.kind === 'word' && !(q.words ?? []).includes(q.gold)) {
    throw new BadRow('gold', q.gold, `must be one of ${(q.words ?? []).join(', ')}`);
  }
  if (q.kind === 'number' && !/^-?\d+(\.\d+)?(e[-+]?\d+)?$/i.test(q.gold))
    throw new BadRow('gold', q.gold, 'must be a plain decimal number');
}

/** Throws BadRow for a question that cannot be asked or graded as it stands. */
export function checkQuestion(q: Question): void {
  if (q.id === '' || q.id.length > ID_LIMIT) throw new BadRow('id', q.id, `must have 1 to ${ID_LIMIT} characters`);
  if (CONTROL.test(q.id)) throw new BadRow('id', q.id, 'holds a control character');
  if (PATH_LIKE.test(q.id)) throw new BadRow('id', q.id, 'looks like a path; an id may not lead out of a folder');
  if (q.question.trim() === '') throw new BadRow('question', q.question, 'is empty');
  for (const [field, text] of texts(q)) {
    if (text.includes('\0')) throw new BadRow(field, text, 'holds a NUL character', 'Remove the character.');
    if (!text.isWellFormed()) throw new BadRow(field, text, 'holds half a character (a lone surrogate), which is not valid text');
  }
  checkGold(q);
}

/** What a reader should know of a question that is asked all the same; null where there is nothing. */
export function remarkOn(q: Question): { field: string; reason: string; value: string } | null {
  const options = (q.options ?? []).map((text) => text.trim().toLowerCase().replace(/\s+/g, ' '));
  const twice = options.find((text, index) => options.indexOf(text) !== index);
  if (twice !== undefined) {
    const gold = options[q.gold.charCodeAt(0) - 65] === twice;
    return {
      field: 'options',
      reason: gold ? 'two options repeat, and one of them is the gold' : 'two options repeat',
      value: twice.slice(0, 60),
    };
  }
  return options.includes('') ? { field: 'options', reason: 'an option is empty', value: '' } : null;
}
