/** The embedded arithmetic set: word problems of one product and one more operation, with worked solutions. Seeded and endless. */
import type { Question } from '../../shared/question.ts';
import { RandomStream } from '../../shared/random.ts';
import { type Factors, type GeneratedSplit, SPLIT_STREAM, splitOfProduct } from './product-split.ts';
import { drawHabits, productStart, writeProduct, writeSolution } from './worked-solution.ts';

/** Fixes every question of the set; a change of templates or of this number is another data set. */
export const ARITHMETIC_SEED = 20250601;
export const ARITHMETIC_COUNTS: Record<GeneratedSplit, number> = { supervised: 20000, train: 5000, validation: 500, test: 500 };

interface Problem {
  question: string;
  facts: string;
  plan: string;
  /** The two factors of each product. */
  products: Factors[];
  operation: 'add' | 'subtract';
  /** What is added or taken away; with a second product, its value. */
  other: number;
  answer: number;
}

const NAMES = ['Ana', 'Ben', 'Cara', 'Dev', 'Ella', 'Finn', 'Gita', 'Hugo', 'Ines', 'Jon', 'Kim', 'Lena'];
const PACKED: readonly (readonly [string, string])[] = [
  ['boxes', 'pens'],
  ['bags', 'apples'],
  ['crates', 'bottles'],
  ['packs', 'cards'],
  ['shelves', 'books'],
  ['trays', 'eggs'],
  ['cartons', 'masks'],
  ['rolls', 'stamps'],
];
const BOUGHT = ['tickets', 'chairs', 'lamps', 'coats', 'bikes', 'games'];

/** Two digits (75 %) or three, never a multiple of ten. */
function factor(random: RandomStream): number {
  const value = random.chance(0.75) ? random.integer(12, 99) : random.integer(101, 999);
  return value % 10 === 0 ? value + random.integer(1, 9) : value;
}
const twoDigitFactor = (random: RandomStream): number => {
  const value = random.integer(12, 99);
  return value % 10 === 0 ? value + random.integer(1, 9) : value;
};

function packedProblem(random: RandomStream): Problem {
  const name = random.pick(NAMES);
  const [box, item] = random.pick(PACKED);
  const [a, b] = [factor(random), random.integer(2, 9)];
  const adds = random.chance(0.5);
  // What is taken away leaves at least two, so that no answer is a matter of form.
  const other = random.integer(11, adds ? 299 : Math.min(299, a * b - 2));
  if (adds) {
    const question = random.pick([
      `${name} has ${a} ${box} with ${b} ${item} in each and ${other} more ${item}. How many ${item} are there in all?`,
      `There are ${b} ${item} in each of ${a} ${box}. ${name} adds ${other} ${item}. How many ${item} are there now?`,
      `${name} fills ${a} ${box} with ${b} ${item} each and still has ${other} ${item}. How many ${item} does ${name} have?`,
    ]);
    return {
      question,
      facts: random.pick([
        `There are ${a} ${box} of ${b} ${item} and ${other} more.`,
        `There are ${a} ${box} with ${b} ${item} each, and ${other} more ${item}.`,
      ]),
      plan: random.pick(['I multiply and then I add.', `I find the ${item} in the ${box} and then add the rest.`]),
      products: [[a, b]],
      operation: 'add',
      other,
      answer: a * b + other,
    };
  }
  const question = random.pick([
    `${name} has ${a} ${box} with ${b} ${item} in each and gives away ${other} ${item}. How many ${item} are left?`,
    `There are ${b} ${item} in each of ${a} ${box}. ${name} uses ${other} ${item}. How many ${item} are left?`,
    `${name} fills ${a} ${box} with ${b} ${item} each. Then ${other} ${item} are sold. How many ${item} remain?`,
  ]);
  return {
    question,
    facts: random.pick([
      `There are ${a} ${box} of ${b} ${item} and ${other} are gone.`,
      `There are ${a} ${box} with ${b} ${item} each, less ${other} ${item}.`,
    ]),
    plan: random.pick(['I multiply and then I subtract.', `I find the ${item} in the ${box} and then take away what is gone.`]),
    products: [[a, b]],
    operation: 'subtract',
    other,
    answer: a * b - other,
  };
}

function shoppingProblem(random: RandomStream): Problem {
  const name = random.pick(NAMES);
  const [first, second] = random.shuffle(BOUGHT) as [string, string];
  const [a, b] = [factor(random), random.integer(2, 9)];
  const [c, d] = [twoDigitFactor(random), random.integer(2, 9)];
  return {
    question: random.pick([
      `${name} buys ${b} ${first} for ${a} dollars each and ${d} ${second} for ${c} dollars each. How many dollars does ${name} pay?`,
      `A shop sells ${b} ${first} at ${a} dollars each and ${d} ${second} at ${c} dollars each. How many dollars is that in all?`,
    ]),
    facts: random.pick([
      `There are ${b} ${first} at ${a} dollars and ${d} ${second} at ${c} dollars.`,
      `There are ${b} ${first} for ${a} dollars each and ${d} ${second} for ${c} dollars each.`,
    ]),
    plan: random.pick(['I multiply twice and then I add.', `I find the price of the ${first}, then of the ${second}, and add them.`]),
    products: [
      [a, b],
      [c, d],
    ],
    operation: 'add',
    other: c * d,
    answer: a * b + c * d,
  };
}

function solve(problem: Problem, random: RandomStream): string {
  const habits = drawHabits(random);
  const product = (problem.products[0] as Factors)[0] * (problem.products[0] as Factors)[1];
  const steps = problem.products.map(([a, b]) => writeProduct(a, b, habits.parts));
  const sign = problem.operation === 'add' ? '+' : '-';
  steps.push(`${product}${sign}${problem.other}=${problem.answer}`);
  const check =
    problem.operation === 'add' ? `${problem.answer}-${problem.other}=${product}` : `${problem.answer}+${problem.other}=${product}`;
  return writeSolution({ facts: problem.facts, plan: problem.plan, steps, check, answer: String(problem.answer) }, habits);
}

/**
 * The first `count` questions of a split. Question `i` depends on the set's seed, split and `i` alone; splits share no product.
 * Ids are `split:row`.
 */
export function arithmeticQuestions(split: GeneratedSplit, count = ARITHMETIC_COUNTS[split]): Question[] {
  const questions: Question[] = [];
  const seen = new Set<string>();
  for (let row = 0; row < count; row++) {
    const random = new RandomStream(ARITHMETIC_SEED, `arithmetic/${SPLIT_STREAM[split]}/${row}`);
    let problem: Problem;
    do {
      problem = random.chance(0.7) ? packedProblem(random) : shoppingProblem(random);
    } while (!problem.products.every((p) => splitOfProduct(p) === split) || seen.has(problem.question));
    seen.add(problem.question);
    questions.push({
      id: `${split}:${row}`,
      dataset: 'arithmetic',
      split,
      kind: 'number',
      question: problem.question,
      gold: String(problem.answer),
      unit: null,
      tolerance: { relative: 0, absolute: 0 },
      solution: solve(problem, random),
      cluster: [...(problem.products[0] as Factors)].sort((x, y) => x - y).join('x'),
      meta: {
        operation: problem.products.length > 1 ? 'two products' : problem.operation,
        parts: productStart(...(problem.products[0] as Factors)),
      },
    });
  }
  return questions;
}

/** A bare calculation with its result, from the products of one split. */
export interface Drill {
  prompt: string;
  result: string;
}

/**
 * Bare calculations (supervised split only): products of two digits with a place (60*3), products in parts, sums and differences.
 * Products whole are practised in the worked solutions alone. Used by the embedded model's recipe.
 */
export function arithmeticDrills(count: number): Drill[] {
  return Array.from({ length: count }, (_, row) => {
    const random = new RandomStream(ARITHMETIC_SEED, `drill/${row}`);
    const kind = random.next();
    if (kind < 0.15) {
      const [digit, place, b] = [random.integer(2, 9), random.pick([1, 10, 100]), random.integer(2, 9)];
      return { prompt: `${digit * place}*${b}=`, result: `${digit * place * b}` };
    }
    if (kind < 0.35) {
      let a: number;
      let b: number;
      do [a, b] = [factor(random), random.integer(2, 9)];
      while (splitOfProduct([a, b]) !== 'supervised');
      const start = productStart(a, b);
      return { prompt: start, result: writeProduct(a, b, true).slice(start.length) };
    }
    const [a, b] = [random.integer(20, 3000), random.integer(11, 900)];
    if (kind < 0.7) return { prompt: `${a}+${b}=`, result: `${a + b}` };
    const [high, low] = a > b ? [a, b] : [b, a];
    return { prompt: `${high}-${low}=`, result: `${high - low}` };
  });
}
