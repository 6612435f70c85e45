/** What a report carries to the scripts in its page: figures in both themes, and every question with the answers of every model. */
import type { Figure } from './figures/figure.ts';

export interface ReportAnswer {
  answer: string;
  method: string;
  correct: boolean;
  tokens: number;
  /** Cut by the token cap. */
  truncated: boolean;
  text: string;
  /** Where the extracted answer stands in the text, UTF-16 units. */
  span: [number, number] | null;
}

export interface ReportQuestionText {
  id: string;
  question: string;
  contexts?: string[];
  options?: string[];
  gold: string;
  unit: string | null;
  solution?: string;
}

export interface ReportQuestion extends ReportQuestionText {
  before: ReportAnswer;
  after: ReportAnswer;
}

/** The questions of a data set, once, and the answers of each model to them; null where it was not asked. */
export interface ReportBank {
  questions: ReportQuestionText[];
  answers: (ReportAnswer | null)[][];
}

/** Two models on one data set: places in the bank's `answers`. */
export interface ReportSet {
  name: string;
  bank: number;
  before: number;
  after: number;
}

export interface ReportQuestions {
  banks: ReportBank[];
  sets: ReportSet[];
}

/** The same figures in both themes. */
export interface ReportFigures {
  light: Figure[];
  dark: Figure[];
}

/** Asks the detail pane to show a question: `detail` of the event `show-question`. Null empties it. */
export interface ShownQuestion {
  question: ReportQuestion | null;
  /** Its place in the filtered list, from 1. */
  position: number;
  total: number;
}
