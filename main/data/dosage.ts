/**
 * The embedded dosage set: the calculations of a ward, with real formulas, plausible ranges and answers in a stated unit.
 * For measuring transfer from arithmetic; not for clinical use.
 *
 * Formulas: dose = ordered dose per kg × weight, volume = dose ÷ concentration, rate = volume ÷ time and
 * drops/min = volume × drop factor ÷ minutes (Ogden & Fluharty, Calculation of Drug Dosages); dilution C₁V₁ = C₂V₂;
 * BMI = kg/m² (WHO Technical Report 894); creatinine clearance = (140 − age) × kg ÷ (72 × creatinine), × 0.85 for women
 * (Cockcroft & Gault, Nephron 16:31, 1976).
 */
import type { Question, Tolerance } from '../../shared/question.ts';
import { RandomStream } from '../../shared/random.ts';
import { type Factors, type GeneratedSplit, productsBelongTo, SPLIT_STREAM, splitOfName, splitOfProduct } from './product-split.ts';
import { drawHabits, type Habits, plain, productStart, writeProduct, writeSolution } from './worked-solution.ts';

export const DOSAGE_SEED = 20250602;
export const DOSAGE_COUNTS: Record<GeneratedSplit, number> = { supervised: 10000, train: 3000, validation: 300, test: 300 };

interface Problem {
  formula: string;
  question: string;
  facts: string;
  plan: string;
  products: Factors[];
  steps: (habits: Habits) => string[];
  check: string;
  answer: number;
  unit: string;
  tolerance: Tolerance;
}

const EXACT: Tolerance = { relative: 0, absolute: 1e-9 };
const product = ([a, b]: Factors, habits: Habits): string => writeProduct(a, b, habits.parts);
const quotient = (a: number, b: number): string => `${plain(a)}/${plain(b)}=${plain(a / b)}`;
const round = (value: number, digits: number): number => Number(value.toFixed(digits));

/** Drug and the usual range of one dose in whole mg/kg. */
const DOSES: readonly (readonly [string, number, number])[] = [
  ['gentamicin', 2, 7],
  ['ketamine', 2, 5],
  ['phenytoin', 4, 7],
  ['amikacin', 5, 8],
  ['acyclovir', 5, 9],
  ['ibuprofen', 4, 9],
];

function weightBasedDose(random: RandomStream): Problem {
  const kg = random.integer(12, 99);
  const [drug, low, high] = random.pick(DOSES);
  const perKg = random.integer(low, high);
  const pair: Factors = [kg, perKg];
  return {
    formula: 'weight-based dose',
    question: random.pick([
      `A patient weighs ${kg} kg. The order is ${drug} ${perKg} mg/kg. What is the dose in mg?`,
      `The order is ${perKg} mg/kg of ${drug} for a patient of ${kg} kg. How many mg are given?`,
    ]),
    facts: `The weight is ${kg} kg and the order is ${perKg} mg for each kg.`,
    plan: 'I multiply the weight by the dose for each kg.',
    products: [pair],
    steps: (habits) => [product(pair, habits)],
    check: `${kg * perKg}/${perKg}=${kg}`,
    answer: kg * perKg,
    unit: 'mg',
    tolerance: EXACT,
  };
}

function infusionRate(random: RandomStream): Problem {
  const rate = random.integer(12, 180);
  const hours = random.integer(2, 9);
  const volume = rate * hours;
  return {
    formula: 'infusion rate',
    question: random.pick([
      `${volume} mL of saline run in over ${hours} hours. What is the rate in mL/h?`,
      `The order is ${volume} mL over ${hours} hours. At how many mL/h does the pump run?`,
    ]),
    facts: `The volume is ${volume} mL and the time is ${hours} hours.`,
    plan: 'I divide the volume by the time.',
    products: [[rate, hours]],
    steps: () => [quotient(volume, hours)],
    check: `${rate}*${hours}=${volume}`,
    answer: rate,
    unit: 'mL/h',
    tolerance: EXACT,
  };
}

function dripRate(random: RandomStream): Problem {
  const dropFactor = random.pick([10, 15, 20, 60]);
  const minutes = random.pick([20, 30, 40, 60]);
  const volume = random.integer(5, 50) * 10;
  const pair: Factors = [volume, dropFactor];
  const exact = (volume * dropFactor) / minutes;
  const answer = Math.round(exact);
  const whole = Number.isInteger(exact);
  return {
    formula: 'drip rate',
    question: `${volume} mL run in over ${minutes} minutes with a set of ${dropFactor} drops/mL. What is the rate in drops/min?`,
    facts: `The volume is ${volume} mL, the set gives ${dropFactor} drops for each mL and the time is ${minutes} minutes.`,
    plan: 'I multiply the volume by the drops and divide by the minutes.',
    products: [pair, [Math.max(answer, 1), minutes]],
    steps: () => [
      `${volume}*${dropFactor}=${volume * dropFactor}`,
      whole ? quotient(volume * dropFactor, minutes) : `${volume * dropFactor}/${minutes} is about ${answer}`,
    ],
    check: whole ? `${answer}*${minutes}=${volume * dropFactor}` : `${answer}*${minutes} is about ${volume * dropFactor}`,
    answer,
    unit: 'drops/min',
    tolerance: { relative: 0, absolute: 0.5 },
  };
}

function dilution(random: RandomStream): Problem {
  const factorOf = random.integer(2, 9);
  const target = random.integer(1, 9);
  const take = random.integer(12, 99);
  const stock = target * factorOf;
  const total = take * factorOf;
  return {
    formula: 'dilution',
    question: `A stock holds ${stock} mg/mL. How many mL of it make ${total} mL of ${target} mg/mL?`,
    facts: `The stock is ${stock} mg/mL and we want ${total} mL of ${target} mg/mL.`,
    plan: 'I find the mg that are needed and divide by the stock.',
    products: [
      [total, target],
      [take, stock],
    ],
    steps: (habits) => [product([total, target], habits), quotient(total * target, stock)],
    check: `${take}*${stock}=${total * target}`,
    answer: take,
    unit: 'mL',
    tolerance: EXACT,
  };
}

function bodyMassIndex(random: RandomStream): Problem {
  const metres = random.pick([1.5, 1.6, 1.7, 1.8, 1.9]);
  const kg = random.integer(45, 120);
  const square = round(metres * metres, 2);
  const answer = round(kg / square, 1);
  return {
    formula: 'BMI',
    question: `A patient weighs ${kg} kg and is ${metres} m tall. What is the body mass index in kg/m2?`,
    facts: `The weight is ${kg} kg and the height is ${metres} m.`,
    plan: 'I divide the weight by the square of the height.',
    products: [[kg, square]],
    steps: () => [`${metres}*${metres}=${square}`, `${kg}/${square} is about ${answer}`],
    check: `${answer}*${square} is about ${kg}`,
    answer,
    unit: 'kg/m2',
    tolerance: { relative: 0, absolute: 0.1 },
  };
}

function creatinineClearance(random: RandomStream): Problem {
  const age = random.integer(20, 90);
  const kg = random.integer(45, 110);
  const creatinine = random.pick([0.8, 0.9, 1, 1.2, 1.5, 2]);
  const woman = random.chance(0.5);
  const years = 140 - age;
  const top = years * kg;
  const bottom = round(72 * creatinine, 1);
  const ratio = top / bottom;
  const first = round(ratio, 1);
  const answer = round(woman ? ratio * 0.85 : ratio, 1);
  const steps = [`140-${age}=${years}`, `${years}*${kg}=${top}`, `72*${creatinine}=${bottom}`, `${top}/${bottom} is about ${first}`];
  if (woman) steps.push(`${first}*0.85 is about ${answer}`);
  return {
    formula: 'creatinine clearance',
    question: `A ${woman ? 'woman' : 'man'} of ${age} years weighs ${kg} kg and has a creatinine of ${creatinine} mg/dL. What is the creatinine clearance in mL/min?`,
    facts: `The age is ${age} years, the weight is ${kg} kg and the creatinine is ${creatinine} mg/dL.`,
    plan: 'I take the age from 140, multiply by the weight and divide by 72 times the creatinine.',
    products: [[years, kg]],
    steps: () => steps,
    check: `${first}*${bottom} is about ${top}`,
    answer,
    unit: 'mL/min',
    tolerance: { relative: 0.02, absolute: 0 },
  };
}

const CONVERSIONS: readonly (readonly [string, string, number])[] = [
  ['g', 'mg', 1000],
  ['mg', 'mcg', 1000],
  ['L', 'mL', 1000],
  ['kg', 'g', 1000],
  ['hours', 'min', 60],
];
function unitConversion(random: RandomStream): Problem {
  const [from, to, size] = random.pick(CONVERSIONS);
  const amount = size === 60 ? random.integer(2, 48) : random.integer(11, 999) / random.pick([1, 10]);
  const answer = round(amount * size, 3);
  return {
    formula: 'unit conversion',
    question: random.pick([
      `How many ${to} are ${plain(amount)} ${from}?`,
      `The order is for ${plain(amount)} ${from}. How many ${to} is that?`,
    ]),
    facts: `There are ${size} ${to} in 1 ${from.replace('hours', 'hour')}.`,
    plan: `I multiply by ${size}.`,
    products: [[amount, size]],
    steps: () => [`${plain(amount)}*${size}=${plain(answer)}`],
    check: quotient(answer, size),
    answer,
    unit: to,
    tolerance: EXACT,
  };
}

const FORMULAS: readonly ((random: RandomStream) => Problem)[] = [
  weightBasedDose,
  weightBasedDose,
  infusionRate,
  infusionRate,
  dripRate,
  dilution,
  bodyMassIndex,
  creatinineClearance,
  unitConversion,
];

/** A problem whose products are all times-table facts goes to the split that a hash of its factors names. */
function belongs(split: GeneratedSplit, problem: Problem): boolean {
  if (problem.products.some((p) => splitOfProduct(p) !== null)) return productsBelongTo(split, problem.products);
  return splitOfName(`${problem.formula}/${clusterOf(problem)}`) === split;
}

const clusterOf = (problem: Problem): string => problem.products.map((p) => [...p].sort((x, y) => x - y).join('x')).join('+');

/** The first `count` questions of a split; ids are `split:row`, products are shared with no other split of either embedded set. */
export function dosageQuestions(split: GeneratedSplit, count = DOSAGE_COUNTS[split]): Question[] {
  const questions: Question[] = [];
  const seen = new Set<string>();
  for (let row = 0; row < count; row++) {
    const random = new RandomStream(DOSAGE_SEED, `dosage/${SPLIT_STREAM[split]}/${row}`);
    let problem: Problem;
    do {
      problem = random.pick(FORMULAS)(random);
    } while (!belongs(split, problem) || seen.has(problem.question));
    seen.add(problem.question);
    const habits = drawHabits(random);
    questions.push({
      id: `${split}:${row}`,
      dataset: 'dosage',
      split,
      kind: 'number',
      question: problem.question,
      gold: plain(problem.answer),
      unit: problem.unit,
      tolerance: problem.tolerance,
      solution: writeSolution({ ...problem, steps: problem.steps(habits), answer: `${plain(problem.answer)} ${problem.unit}` }, habits),
      cluster: clusterOf(problem),
      meta: {
        formula: problem.formula,
        // Only where the first step is that product: a division or a formula begins otherwise.
        ...(problem.formula === 'weight-based dose' ? { parts: productStart(...(problem.products[0] as Factors)) } : {}),
      },
    });
  }
  return questions;
}
