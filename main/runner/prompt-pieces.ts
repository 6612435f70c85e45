/** Prompts and answers token by token, so that a reader sees what the model sees. */
import { Prompting } from '../../shared/config.ts';
import type { RenderedPrompt, TokenPiece } from '../../shared/prompt-view.ts';
import type { Question } from '../../shared/question.ts';
import type { Tokenizer } from '../policy/tokenizer.ts';
import { promptIds } from './rollout.ts';

/** GPT-2's table of bytes that a vocabulary writes as other characters (Radford et al. 2019, encoder.py, `bytes_to_unicode`), the way back. */
const BYTE_OF: ReadonlyMap<string, number> = (() => {
  const table = new Map<string, number>();
  let next = 256;
  for (let byte = 0; byte < 256; byte++) {
    const printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
    table.set(String.fromCodePoint(printable ? byte : next++), byte);
  }
  return table;
})();

/** Bytes of a vocabulary's token in hexadecimal; the token itself where it is not written in bytes. */
function bytesText(token: string): string {
  const single = /^<0x([0-9A-F]{2})>$/.exec(token)?.[1];
  if (single !== undefined) return single;
  const bytes = [...token].map((letter) => BYTE_OF.get(letter));
  if (bytes.includes(undefined)) return token;
  return bytes.map((byte) => (byte as number).toString(16).toUpperCase().padStart(2, '0')).join(' ');
}

/** One token for the eye. `before`: the id that it follows, since some tokenizers write a leading space only after another token. */
export function pieceOf(tokenizer: Tokenizer, id: number, before?: number): TokenPiece {
  if (tokenizer.controlIds.has(id)) return { id, text: tokenizer.tokenOf(id) ?? '', kind: 'control' };
  const alone = tokenizer.decode([id]);
  // Part of a character decodes to U+FFFD; a text may hold that character itself, which then has its own three bytes.
  if (alone.includes('\uFFFD')) return { id, text: bytesText(tokenizer.tokenOf(id) ?? ''), kind: 'bytes' };
  if (before === undefined || tokenizer.controlIds.has(before)) return { id, text: alone, kind: 'text' };
  const start = tokenizer.decode([before]);
  const both = tokenizer.decode([before, id]);
  return { id, text: both.startsWith(start) ? both.slice(start.length) : alone, kind: 'text' };
}

export const piecesOf = (tokenizer: Tokenizer, ids: ArrayLike<number>): TokenPiece[] =>
  Array.from(ids, (id, i) => pieceOf(tokenizer, id, i === 0 ? undefined : ids[i - 1]));

/** The prompt of a question as the model gets it. `context`: longest sequence in tokens. Errors: those of the chat template. */
export function renderQuestion(
  tokenizer: Tokenizer,
  context: number,
  question: Question,
  prompting: Prompting = Prompting.parse({}),
): RenderedPrompt {
  const ids = promptIds(question, tokenizer, prompting);
  return { text: tokenizer.decode(ids), pieces: piecesOf(tokenizer, ids), count: ids.length, context };
}

/**
 * Where each token begins in the text that the tokens decode to without control tokens, in UTF-16 units. Tokens that make up one
 * character together: the first begins where it does, the others where it ends.
 */
export function startsOf(tokenizer: Tokenizer, ids: readonly number[], pieces: readonly TokenPiece[]): number[] {
  const starts: number[] = [];
  let at = 0;
  for (let i = 0; i < ids.length; ) {
    let end = i + 1;
    if (pieces[i]?.kind === 'bytes') while (pieces[end]?.kind === 'bytes') end++;
    const length = tokenizer.decode(ids.slice(i, end), { skipSpecial: true }).length;
    const shown = pieces[i]?.kind === 'text' ? (pieces[i]?.text.length ?? 0) : length;
    starts.push(at, ...Array.from({ length: end - i - 1 }, () => at + shown));
    at += shown;
    i = end;
  }
  return starts;
}
