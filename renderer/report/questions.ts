/** The list of questions: search, chips, sorting, keys, and only the rows in sight in the page. */
import type { ReportAnswer, ReportQuestion, ReportQuestions, ShownQuestion } from '../../shared/report-data.ts';

const ROW = 32;
const MARGIN_ROWS = 8;
const { banks, sets }: ReportQuestions = JSON.parse(document.getElementById('question-data')?.textContent ?? '{"banks":[],"sets":[]}');
/** The questions of each set that both models answered, put together when a reader first looks. */
const composed = new Map<number, ReportQuestion[]>();

function questionsOf(place: number): ReportQuestion[] {
  const known = composed.get(place);
  if (known) return known;
  const chosen = sets[place];
  const bank = banks[chosen?.bank ?? -1];
  const made = (bank?.questions ?? []).flatMap((question, i) => {
    const before = bank?.answers[chosen?.before ?? -1]?.[i];
    const after = bank?.answers[chosen?.after ?? -1]?.[i];
    return before && after ? [{ ...question, before, after }] : [];
  });
  composed.set(place, made);
  return made;
}

type Test = (question: ReportQuestion) => boolean;
const either =
  (test: (answer: ReportAnswer) => boolean): Test =>
  (question) =>
    test(question.before) || test(question.after);
const FILTERS: [string, string, Test][] = [
  ['all', 'All', () => true],
  ['gained', 'Gained', ({ before, after }) => !before.correct && after.correct],
  ['lost', 'Lost', ({ before, after }) => before.correct && !after.correct],
  ['right', 'Both right', ({ before, after }) => before.correct && after.correct],
  ['wrong', 'Both wrong', ({ before, after }) => !before.correct && !after.correct],
  ['invalid', 'Invalid', either((answer) => answer.answer === 'invalid')],
  ['cut', 'Cut by the cap', either((answer) => answer.truncated)],
];
/** What changed comes first. */
const rankOf = (question: ReportQuestion | undefined): number =>
  question === undefined ? 3 : ({ 1: 0, [-1]: 1 }[outcomeOf(question)] ?? 2);
const outcomeOf = ({ before, after }: ReportQuestion): number => Number(after.correct) - Number(before.correct);
const COLUMNS: [string, string, ((question: ReportQuestion) => number) | null][] = [
  ['number', '#', (question) => questions().indexOf(question)],
  ['question', 'Question', null],
  ['before', 'Before (tokens)', (question) => question.before.tokens],
  ['after', 'After (tokens)', (question) => question.after.tokens],
  ['outcome', 'Change', outcomeOf],
];

let set = 0;
let filter = 'all';
let query = '';
/** Null: gained, then lost, then the rest, each in the file's order. */
let sort: { column: number; falling: boolean } | null = null;
/** Indices into the set's questions, filtered and sorted. */
let found: number[] = [];
/** Place in `found`. */
let selected = 0;
let haystacks: string[] = [];

function element<K extends keyof HTMLElementTagNameMap>(tag: K, className = '', text = ''): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  if (className !== '') made.className = className;
  if (text !== '') made.textContent = text;
  return made;
}
function button(className: string, text: string, click: () => void): HTMLButtonElement {
  const made = element('button', className, text);
  made.type = 'button';
  made.addEventListener('click', click);
  return made;
}

const tabs = element('div', 'tabs');
const search = element('input');
search.type = 'search';
search.placeholder = 'Search questions and answers ( / )';
search.setAttribute('aria-label', 'Search questions and answers');
const chips = element('div', 'chips');
const count = element('span', 'found');
count.setAttribute('role', 'status');
const head = element('div', 'row head');
const list = element('div', 'list');
list.tabIndex = 0;
list.setAttribute('role', 'listbox');
list.setAttribute('aria-label', 'Questions');
const rows = element('div', 'rows');
list.append(head, rows);
const detail = element('div', 'detail');
detail.id = 'detail';
detail.tabIndex = -1;

const questions = (): ReportQuestion[] => questionsOf(set);
const testOf = (name: string): Test => FILTERS.find(([key]) => key === name)?.[2] ?? (() => true);

/** Text that the search looks in, made once a set. */
function index(): void {
  haystacks = questions().map((question) =>
    [question.id, question.question, ...(question.options ?? []), question.gold, question.before.text, question.after.text]
      .join('\n')
      .toLowerCase(),
  );
}

function select(place: number, scroll = true): void {
  selected = Math.max(0, Math.min(found.length - 1, place));
  const top = selected * ROW;
  const room = list.clientHeight - head.offsetHeight;
  if (scroll && top < list.scrollTop) list.scrollTop = top;
  else if (scroll && top + ROW > list.scrollTop + room) list.scrollTop = top + ROW - room;
  const question = questions()[found[selected] ?? -1] ?? null;
  document.dispatchEvent(
    new CustomEvent<ShownQuestion>('show-question', { detail: { question, position: selected + 1, total: found.length } }),
  );
  paint();
}

function update(keep?: ReportQuestion): void {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const searched = questions()
    .map((_, i) => i)
    .filter((i) => words.every((word) => haystacks[i]?.includes(word)));
  const test = testOf(filter);
  const matches = (i: number, by: Test) => {
    const question = questions()[i];
    return question !== undefined && by(question);
  };
  found = searched.filter((i) => matches(i, test));
  const value = sort && COLUMNS[sort.column]?.[2];
  const direction = sort?.falling ? -1 : 1;
  found.sort((a, b) => {
    const [first, second] = [questions()[a], questions()[b]];
    if (value && first && second && value(first) !== value(second)) return direction * (value(first) - value(second));
    return sort ? a - b : rankOf(first) - rankOf(second) || a - b;
  });
  chips.replaceChildren(
    ...FILTERS.map(([key, label, by]) => {
      const chip = button('chip', label, () => {
        filter = key;
        update();
      });
      chip.append(element('span', 'n', String(searched.filter((i) => matches(i, by)).length)));
      chip.setAttribute('aria-pressed', String(key === filter));
      return chip;
    }),
  );
  count.textContent = `${found.length} of ${questions().length}`;
  head.replaceChildren(
    ...COLUMNS.map(([className, label], column) => {
      const active = sort?.column === column;
      return button(className, label + (active ? (sort?.falling ? ' ↓' : ' ↑') : ''), () => {
        // A first click brings the largest up, but the file's own order starts at its start.
        sort = active && sort ? { column, falling: !sort.falling } : { column, falling: column > 1 };
        if (column === 1) sort = null;
        update();
      });
    }),
  );
  rows.style.height = `${found.length * ROW}px`;
  list.scrollTop = 0;
  const kept = keep ? found.findIndex((i) => questions()[i] === keep) : 0;
  select(Math.max(0, kept));
}

function answerCell(className: string, answer: ReportAnswer): HTMLElement {
  const state = answer.correct ? 'right' : answer.answer === 'invalid' ? 'invalid' : 'wrong';
  const cell = element('span', className);
  cell.append(
    element('span', `glyph ${state}`, { right: '✓', wrong: '✗', invalid: '∅' }[state]),
    element('span', 'n', String(answer.tokens)),
  );
  cell.title = `${state}, read as ${answer.answer}`;
  return cell;
}

function paint(): void {
  const first = Math.max(0, Math.floor(list.scrollTop / ROW) - MARGIN_ROWS);
  const last = Math.min(found.length, Math.ceil((list.scrollTop + list.clientHeight) / ROW) + MARGIN_ROWS);
  const made: HTMLElement[] = [];
  for (let place = first; place < last; place++) {
    const i = found[place] ?? -1;
    const question = questions()[i];
    if (!question) continue;
    const row = element('div', 'row');
    row.id = `row-${place}`;
    row.style.top = `${place * ROW}px`;
    row.setAttribute('role', 'option');
    row.setAttribute('aria-selected', String(place === selected));
    row.setAttribute('aria-posinset', String(place + 1));
    row.setAttribute('aria-setsize', String(found.length));
    const outcome = outcomeOf(question);
    row.append(
      element('span', 'number', String(i + 1)),
      element('span', 'question', question.question),
      answerCell('before', question.before),
      answerCell('after', question.after),
      element(
        'span',
        `outcome ${outcome > 0 ? 'right' : outcome < 0 ? 'wrong' : 'quiet'}`,
        outcome > 0 ? '▲ gained' : outcome < 0 ? '▼ lost' : '=',
      ),
    );
    row.addEventListener('click', () => select(place, false));
    made.push(row);
  }
  rows.replaceChildren(...made);
  list.setAttribute('aria-activedescendant', `row-${selected}`);
}

function chooseSet(next: number, id?: string): void {
  set = next;
  sort = null;
  tabs.replaceChildren(
    ...sets.map(({ name }, i) => {
      const tab = button('tab', name, () => chooseSet(i));
      tab.append(element('span', 'n', String(questionsOf(i).length)));
      tab.setAttribute('aria-pressed', String(i === set));
      return tab;
    }),
  );
  index();
  update(questions().find((question) => question.id === id));
}

let remembering: ReturnType<typeof setTimeout> | undefined;
/** The selection is in the address (`#question=arithmetic/test:17`), once the reader rests on it: browsers stop pages that change it often. */
function remember(): void {
  clearTimeout(remembering);
  remembering = setTimeout(() => {
    const question = questions()[found[selected] ?? -1];
    if (question) history.replaceState(null, '', `#${new URLSearchParams({ question: `${sets[set]?.name}/${question.id}` })}`);
  }, 250);
}
function fromAddress(): boolean {
  // Unlike decodeURIComponent it does not throw on an address that was cut short.
  const wanted = new URLSearchParams(location.hash.slice(1)).get('question') ?? '';
  const next = sets.findIndex(({ name }) => wanted.startsWith(`${name}/`));
  if (next < 0) return false;
  chooseSet(next, wanted.slice((sets[next]?.name.length ?? 0) + 1));
  return true;
}

function onKey(event: KeyboardEvent): void {
  if (event.metaKey || event.ctrlKey || event.altKey) return;
  if (event.key === 'Escape') {
    if (document.activeElement === search && query !== '') {
      search.value = '';
      query = '';
      update();
    } else list.focus();
    return;
  }
  if (document.activeElement === search) {
    if (event.key === 'ArrowDown' || event.key === 'Enter') list.focus();
    return;
  }
  if (event.key === '/') {
    event.preventDefault();
    search.focus();
    return;
  }
  const inside = document.activeElement === list || detail.contains(document.activeElement);
  const step = { j: 1, k: -1, ...(inside ? { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 } : {}) }[event.key];
  if (step !== undefined) {
    event.preventDefault();
    select(selected + step);
    remember();
  } else if (event.key === 'Enter' && document.activeElement === list) {
    detail.focus();
    detail.scrollIntoView({ block: 'nearest' });
  }
}

const explorer = document.getElementById('explorer');
if (explorer) {
  const bar = element('div', 'bar');
  bar.append(tabs, search, count);
  const panes = element('div', 'panes');
  panes.append(list, detail);
  const keys = element('p', 'quiet keys', 'j / k or arrows: next and previous · /: search · Enter: to the answers · Esc: back to the list');
  explorer.replaceChildren(bar, chips, panes, keys);
  search.addEventListener('input', () => {
    query = search.value;
    update();
  });
  list.addEventListener('scroll', () => requestAnimationFrame(paint), { passive: true });
  rows.addEventListener('click', remember);
  new ResizeObserver(paint).observe(list);
  document.addEventListener('keydown', onKey);
  window.addEventListener('hashchange', fromAddress);
  if (!fromAddress()) chooseSet(0);
}
