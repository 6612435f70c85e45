/** Which questions stand in which batch: a seeded shuffle for each epoch, so that a batch's number alone tells its questions. */
import type { Question } from '../../shared/question.ts';
import { RandomStream } from '../../shared/random.ts';

export class PromptOrder {
  private readonly questions: readonly Question[];
  private readonly seed: number;
  private readonly epochs = new Map<number, number[]>();

  constructor(questions: readonly Question[], seed: number) {
    this.questions = questions;
    this.seed = seed;
  }

  private epoch(number: number): number[] {
    let order = this.epochs.get(number);
    if (!order) {
      const random = new RandomStream(this.seed, `train/order/${number}`);
      order = random.shuffle(this.questions.map((_, i) => i));
      this.epochs.clear();
      this.epochs.set(number, order);
    }
    return order;
  }

  /** The questions of batch `index` (from 0) and how often each was asked before; a batch may run over into the next epoch. */
  batch(index: number, size: number): { question: Question; visit: number }[] {
    return Array.from({ length: size }, (_, i) => {
      const place = index * size + i;
      const visit = Math.floor(place / this.questions.length);
      return { question: this.questions[this.epoch(visit)[place % this.questions.length] as number] as Question, visit };
    });
  }
}
