/** Where each answer of a run lies in completions.jsonl, with what it is looked for by: a run with 100,000 answers is never held whole. */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { parseLine } from '../../shared/run-lines.ts';
import { type AnswerGroup, type AnswerVerdict, type GroupFilter, type GroupPage, Phase } from '../../shared/run-live.ts';
import { CompletionRecord } from '../../shared/run-record.ts';
import { JsonlGrowth } from './jsonl-growth.ts';
import type { TakenBack } from './run-index.ts';

interface AnswerPlace {
  seq: number;
  start: number;
  bytes: number;
  sample: number;
  tokens: number;
  reward: number | null;
  verdict: AnswerVerdict;
  truncated: boolean;
}

interface Group {
  phase: Phase;
  step: number;
  question: string;
  answers: AnswerPlace[];
}

const verdictOf = ({ correct, answer, finish }: CompletionRecord): AnswerVerdict => {
  if (correct) return 'correct';
  if (finish === 'length') return 'truncated';
  return answer === 'invalid' ? 'invalid' : 'wrong';
};

const meets = (answer: AnswerPlace, filter: GroupFilter): boolean =>
  (filter.verdict === undefined || answer.verdict === filter.verdict || (filter.verdict === 'truncated' && answer.truncated)) &&
  (filter.reward_min === undefined || (answer.reward !== null && answer.reward >= filter.reward_min)) &&
  (filter.reward_max === undefined || (answer.reward !== null && answer.reward <= filter.reward_max)) &&
  (filter.tokens_min === undefined || answer.tokens >= filter.tokens_min) &&
  (filter.tokens_max === undefined || answer.tokens <= filter.tokens_max);

const share = (answers: readonly AnswerPlace[], of: (answer: AnswerPlace) => boolean): number => answers.filter(of).length;

function summary({ phase, step, question, answers }: Group): AnswerGroup {
  const rewards = answers.flatMap(({ reward }) => (reward === null ? [] : [reward]));
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    phase,
    step,
    question,
    n: answers.length,
    correct: share(answers, ({ verdict }) => verdict === 'correct'),
    invalid: share(answers, ({ verdict }) => verdict === 'invalid'),
    truncated: share(answers, ({ truncated }) => truncated),
    mean_reward: rewards.length === 0 ? null : mean(rewards),
    mean_tokens: mean(answers.map(({ tokens }) => tokens)),
  };
}

export class CompletionIndex {
  private readonly path: string;
  private readonly growth: JsonlGrowth;
  /** In the order of the file; a group's place never changes. */
  private readonly groups = new Map<string, Group>();
  private malformed = 0;
  private firstMalformed: string | null = null;
  private lines = 0;
  private reading: Promise<void> | null = null;
  private taken = 0;

  constructor(folder: string) {
    this.path = join(folder, 'completions.jsonl');
    this.growth = new JsonlGrowth(this.path);
  }

  /** Takes in what was written since. Two callers at once share one reading. */
  refresh(): Promise<void> {
    this.reading ??= this.growth
      .read(({ text, start, bytes }) => this.take(text, start, bytes))
      .finally(() => {
        this.reading = null;
      });
    return this.reading;
  }

  /** Drops what resumes took back; `takenBack` only ever grows, and only what is new in it is looked at. */
  drop(takenBack: readonly TakenBack[]): void {
    const fresh = takenBack.slice(this.taken);
    this.taken = takenBack.length;
    if (fresh.length === 0) return;
    for (const [key, group] of this.groups) {
      group.answers = group.answers.filter(({ seq }) => !fresh.some(({ after, until }) => after < seq && seq <= until));
      if (group.answers.length === 0) this.groups.delete(key);
    }
  }

  private take(text: string, start: number, bytes: number): void {
    this.lines++;
    if (text.trim() === '') return;
    const parsed = parseLine(text, CompletionRecord);
    if (!parsed.ok) {
      this.malformed++;
      this.firstMalformed ??= `line ${this.lines}: ${parsed.message}`;
      return;
    }
    const record = parsed.row;
    const { seq, phase, step, question, sample, tokens, reward } = record;
    // An evaluation's passes ask the same question again.
    const key = `${phase}\n${step}\n${question}`;
    const group = this.groups.get(key) ?? { phase, step, question, answers: [] };
    this.groups.set(key, group);
    const truncated = record.finish === 'length';
    group.answers.push({ seq, start, bytes, sample, tokens, reward, verdict: verdictOf(record), truncated });
  }

  /** A page of the groups that meet a filter, in the order of the run. */
  page(filter: GroupFilter, from: number, limit: number): GroupPage {
    const all = [...this.groups.values()];
    const phases = Phase.options.filter((phase) => all.some((group) => group.phase === phase));
    const phase = filter.phase ?? phases[0];
    const ofPhase = all.filter((group) => group.phase === phase);
    const steps = [...new Set(ofPhase.map(({ step }) => step))].sort((a, b) => a - b);
    const step = filter.step === 'latest' ? (steps.at(-1) ?? 0) : filter.step;
    const matching = ofPhase.filter(
      (group) => (step === undefined || group.step === step) && group.answers.some((answer) => meets(answer, filter)),
    );
    return {
      matching: matching.length,
      total: ofPhase.length,
      steps: {
        at: step ?? null,
        first: steps[0] ?? null,
        last: steps.at(-1) ?? null,
        before: step === undefined ? null : (steps.findLast((one) => one < step) ?? null),
        after: step === undefined ? null : (steps.find((one) => one > step) ?? null),
      },
      phase: phase ?? null,
      phases,
      from,
      groups: matching.slice(from, from + limit).map(summary),
      malformed: { count: this.malformed, first: this.firstMalformed },
    };
  }

  /** The answers of one group, read from their places in the file; none where there is no such group. */
  async answers(phase: Phase, step: number, question: string): Promise<CompletionRecord[]> {
    const group = this.groups.get(`${phase}\n${step}\n${question}`);
    if (group === undefined) return [];
    const file = await open(this.path, 'r');
    try {
      const records: CompletionRecord[] = [];
      for (const { start, bytes } of group.answers) {
        const { buffer } = await file.read(Buffer.alloc(bytes), 0, bytes, start);
        const parsed = parseLine(buffer.toString('utf8'), CompletionRecord);
        if (!parsed.ok) throw new Error(`${this.path}, byte ${start}: the file has changed where it must only grow (${parsed.message})`);
        records.push(parsed.row);
      }
      return records;
    } finally {
      await file.close();
    }
  }
}
