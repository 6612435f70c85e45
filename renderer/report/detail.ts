/** The pane beside the list: one question, its gold, and both answers side by side. Texts are set by textContent, never as HTML. */
import type { ReportAnswer, ReportQuestion, ShownQuestion } from '../../shared/report-data.ts';

const FOLD_LINES = 12;
/** Longest pair of answers that is compared word by word: beyond it the table of the comparison would slow the page. */
const MAX_CELLS = 4_000_000;
let unfolded = false;
let differences = false;

function element<K extends keyof HTMLElementTagNameMap>(tag: K, className = '', text = ''): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  if (className !== '') made.className = className;
  if (text !== '') made.textContent = text;
  return made;
}

/** Words that the other text does not have in the same order (longest common subsequence), as flags over `words`. */
function notShared(words: readonly string[], others: readonly string[]): Set<number> {
  const columns = others.length + 1;
  const table = new Uint16Array((words.length + 1) * columns);
  const at = (i: number, j: number) => table[i * columns + j] ?? 0;
  for (let i = words.length - 1; i >= 0; i--) {
    for (let j = others.length - 1; j >= 0; j--) {
      table[i * columns + j] = words[i] === others[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const changed = new Set<number>();
  let j = 0;
  for (let i = 0; i < words.length; i++) {
    while (j < others.length && words[i] !== others[j] && at(i, j + 1) >= at(i + 1, j)) j++;
    if (words[i] === others[j]) j++;
    else changed.add(i);
  }
  return changed;
}

const wordsOf = (text: string): string[] => text.match(/\s+|[^\s]+/g) ?? [];

/** Ranges of characters that carry a mark: the extracted answer, words not in the other answer, special tokens. */
function marks(answer: ReportAnswer, other: ReportAnswer): { start: number; end: number; className: string }[] {
  const found: { start: number; end: number; className: string }[] = [];
  if (answer.span) found.push({ start: answer.span[0], end: answer.span[1], className: 'extracted' });
  for (const token of answer.text.matchAll(/<\|[\w ]{1,40}\|>|<\/?(?:s|think|pad|bos|eos)>/g)) {
    found.push({ start: token.index, end: token.index + token[0].length, className: 'token' });
  }
  const words = wordsOf(answer.text);
  const others = wordsOf(other.text);
  if (differences && words.length * others.length <= MAX_CELLS) {
    const changed = notShared(words, others);
    let start = 0;
    words.forEach((word, i) => {
      if (changed.has(i) && word.trim() !== '') found.push({ start, end: start + word.length, className: 'changed' });
      start += word.length;
    });
  }
  return found;
}

/** The text with its marks; a character may carry several. */
function markedText(answer: ReportAnswer, other: ReportAnswer): HTMLElement {
  const body = element('div', 'text');
  const all = marks(answer, other);
  const cuts = [...new Set([0, answer.text.length, ...all.flatMap((mark) => [mark.start, mark.end])])].sort((a, b) => a - b);
  cuts.slice(0, -1).forEach((start, i) => {
    const end = cuts[i + 1] ?? answer.text.length;
    const names = all.filter((mark) => mark.start <= start && mark.end >= end).map((mark) => mark.className);
    const piece = answer.text.slice(start, end);
    body.append(names.length === 0 ? piece : element('span', names.join(' '), piece));
  });
  if (answer.text === '') body.append(element('span', 'quiet', 'nothing was written'));
  return body;
}

function fold(body: HTMLElement): void {
  const lineHeight = Number.parseFloat(getComputedStyle(body).lineHeight);
  const lines = Math.round(body.scrollHeight / lineHeight);
  if (lines <= FOLD_LINES + 1) return;
  const button = element('button', 'fold');
  button.type = 'button';
  const apply = () => {
    body.classList.toggle('folded', !unfolded);
    button.textContent = unfolded ? `Fold to ${FOLD_LINES} lines` : `Show all ${lines} lines`;
  };
  button.addEventListener('click', () => {
    unfolded = !unfolded;
    apply();
  });
  apply();
  body.after(button);
}

function answerCard(side: 'before' | 'after', answer: ReportAnswer, other: ReportAnswer): HTMLElement {
  const state = answer.correct ? 'right' : answer.answer === 'invalid' ? 'invalid' : 'wrong';
  const glyph = { right: '✓', wrong: '✗', invalid: '∅' }[state];
  const card = element('article', `answer ${side}`);
  const head = element('header');
  head.append(element('b', '', side === 'before' ? 'Before' : 'After'), element('span', `state ${state}`, `${glyph} ${state}`));
  if (answer.truncated) head.append(element('span', 'state cut', '✂ cut by the cap'));
  head.append(element('span', 'count', `${answer.tokens} token${answer.tokens === 1 ? '' : 's'}`));
  const body = markedText(answer, other);
  const foot = element('footer', 'quiet');
  if (state === 'invalid') foot.append(`no answer found (${answer.method})`);
  else foot.append('read as ', element('b', '', answer.answer), ` by the rule “${answer.method}”`);
  card.append(head, body, foot);
  return card;
}

function folded(title: string, text: string): HTMLElement {
  const details = element('details');
  details.append(element('summary', '', title), element('div', 'text', text));
  return details;
}

function asked(question: ReportQuestion): HTMLElement {
  const box = element('div', 'asked');
  if (question.contexts?.length)
    box.append(folded(`${question.contexts.length} passages shown before the question`, question.contexts.join('\n\n')));
  box.append(element('p', 'text', question.question));
  if (question.options) {
    const list = element('ol', 'options');
    question.options.forEach((option, i) => {
      const letter = String.fromCharCode(65 + i);
      const line = element('li', letter === question.gold ? 'gold' : '', option);
      if (letter === question.gold) line.append(element('span', 'state right', '✓ gold'));
      list.append(line);
    });
    box.append(list);
  } else {
    const gold = element('p', 'quiet', 'Gold: ');
    gold.append(element('b', '', question.unit ? `${question.gold} ${question.unit}` : question.gold));
    box.append(gold);
  }
  if (question.solution) box.append(folded('Worked solution (the model never sees it)', question.solution));
  return box;
}

let shown: ShownQuestion | null = null;

function show(): void {
  const pane = document.getElementById('detail');
  if (!pane) return;
  pane.replaceChildren();
  const question = shown?.question;
  if (!shown || !question) {
    pane.append(element('p', 'quiet empty', 'No question fits this filter. Clear the search, or pick another chip.'));
    return;
  }
  const head = element('header');
  const toggle = element('button', 'chip', 'Differences by word');
  toggle.type = 'button';
  toggle.setAttribute('aria-pressed', String(differences));
  toggle.addEventListener('click', () => {
    differences = !differences;
    show();
  });
  head.append(element('h3', '', question.id), element('span', 'quiet', `${shown.position} of ${shown.total}`), toggle);
  const cards = element('div', 'answers');
  cards.append(answerCard('before', question.before, question.after), answerCard('after', question.after, question.before));
  pane.append(head, asked(question), cards);
  pane.scrollTop = 0;
  for (const card of cards.querySelectorAll('article')) {
    const body = card.querySelector<HTMLElement>(':scope > .text');
    if (body) fold(body);
  }
}

document.addEventListener('show-question', (event) => {
  shown = (event as CustomEvent<ShownQuestion>).detail;
  show();
});
