/** Units of doses, rates and measures: reading them and converting within one dimension. */

type Dimension =
  | 'mass'
  | 'body'
  | 'volume'
  | 'time'
  | 'length'
  | 'amount'
  | 'charge'
  | 'activity'
  | 'drop'
  | 'ratio'
  | 'pressure'
  | 'energy'
  | 'osmole'
  | 'beat'
  | 'tablet'
  | 'capsule'
  | 'vial'
  | 'puff'
  | 'celsius'
  | 'fahrenheit';

type Atom = { name: string; dimension: Dimension; power: number; factor: number };

/** Canonical name, dimension, factor to the dimension's base (g, L, s, m, mol, Eq), power, and other spellings. */
const TABLE: readonly [string, Dimension, number, number, string][] = [
  ['ng', 'mass', 1e-9, 1, 'nanogram nanograms'],
  ['mcg', 'mass', 1e-6, 1, 'µg μg ug microgram micrograms microgramme microgrammes'],
  ['mg', 'mass', 1e-3, 1, 'mgs milligram milligrams milligramme milligrammes'],
  ['g', 'mass', 1, 1, 'gm gms gram grams gramme grammes'],
  ['kg', 'mass', 1e3, 1, 'kgs kilo kilos kilogram kilograms'],
  // International avoirdupois pound and ounce (1959 agreement): exact.
  ['lb', 'mass', 453.59237, 1, 'lbs pound pounds'],
  ['oz', 'mass', 28.349523125, 1, 'ounce ounces'],
  ['mcL', 'volume', 1e-6, 1, 'µl μl ul microliter microliters microlitre microlitres'],
  ['mL', 'volume', 1e-3, 1, 'mls cc ccs milliliter milliliters millilitre millilitres'],
  ['dL', 'volume', 1e-1, 1, 'deciliter deciliters decilitre decilitres'],
  ['L', 'volume', 1, 1, 'liter liters litre litres'],
  ['s', 'time', 1, 1, 'sec secs second seconds'],
  ['min', 'time', 60, 1, 'mins minute minutes'],
  ['h', 'time', 3600, 1, 'hr hrs hour hours'],
  ['d', 'time', 86400, 1, 'day days'],
  ['week', 'time', 604800, 1, 'weeks wk wks'],
  ['mm', 'length', 1e-3, 1, 'millimeter millimeters millimetre millimetres'],
  ['cm', 'length', 1e-2, 1, 'centimeter centimeters centimetre centimetres'],
  ['m', 'length', 1, 1, 'meter meters metre metres'],
  ['km', 'length', 1e3, 1, 'kilometer kilometers kilometre kilometres'],
  ['in', 'length', 0.0254, 1, 'inch inches'],
  ['ft', 'length', 0.3048, 1, 'foot feet'],
  ['m2', 'length', 1, 2, 'm^2 sqm'],
  ['cm2', 'length', 1e-4, 2, 'cm^2'],
  ['mcmol', 'amount', 1e-6, 1, 'µmol μmol umol micromole micromoles'],
  ['mmol', 'amount', 1e-3, 1, 'mmols millimole millimoles'],
  ['mol', 'amount', 1, 1, 'mole moles'],
  ['mEq', 'charge', 1e-3, 1, 'meqs milliequivalent milliequivalents'],
  ['Eq', 'charge', 1, 1, 'equivalents'],
  ['units', 'activity', 1, 1, 'unit iu u ius'],
  ['drops', 'drop', 1, 1, 'drop gtt gtts'],
  ['%', 'ratio', 0.01, 1, 'percent'],
  ['mmHg', 'pressure', 1, 1, ''],
  ['kPa', 'pressure', 7.500617, 1, ''],
  ['kcal', 'energy', 1, 1, 'kilocalorie kilocalories calories'],
  // Thermochemical calorie: 4.184 J.
  ['kJ', 'energy', 1 / 4.184, 1, 'kilojoule kilojoules'],
  ['mOsm', 'osmole', 1e-3, 1, 'mosmol'],
  ['beats', 'beat', 1, 1, 'beat'],
  ['tablets', 'tablet', 1, 1, 'tablet tabs tab pill pills'],
  ['capsules', 'capsule', 1, 1, 'capsule caps'],
  ['vials', 'vial', 1, 1, 'vial'],
  ['puffs', 'puff', 1, 1, 'puff'],
  ['°C', 'celsius', 1, 1, '℃ celsius'],
  ['°F', 'fahrenheit', 1, 1, '℉ fahrenheit'],
];

const ATOMS = new Map<string, Atom>();
for (const [name, dimension, factor, power, others] of TABLE) {
  for (const spelling of [name, ...others.split(' ')]) {
    if (spelling !== '') ATOMS.set(spelling.toLowerCase(), { name, dimension, factor, power });
  }
}

export type Unit = {
  /** Canonical text, `mcg/kg/min`. */
  name: string;
  /** Product of the factors to the base units. */
  factor: number;
  /** Power of each dimension, as sorted text: equal text means convertible. */
  dimensions: string;
};

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
const SPELLINGS = [...ATOMS.keys()].sort((a, b) => b.length - a.length).map(escaped);
const ATOM_SOURCE = `(?:square\\s+met(?:er|re)s?|(?:degrees?|deg|°)\\s*(?:celsius|fahrenheit|[cf])|per\\s?cent|${SPELLINGS.join('|')})(?![a-z0-9^])`;
// "mL/h", "mL per hour", "mL·h^-1", "drops a minute"; a second atom after a dot must carry a power of −1.
const UNIT_AT_START = new RegExp(
  `^\\s*[-(]?\\s*(${ATOM_SOURCE})((?:\\s*(?:/|per\\b|\\b(?:an?|each)\\b)\\s*(?:1\\s+)?${ATOM_SOURCE}|\\s*[·.*]?\\s*(?:${SPELLINGS.join('|')})\\^\\(?-1\\)?)*)`,
  'i',
);
const NEXT_ATOM = new RegExp(`(${ATOM_SOURCE})|(${SPELLINGS.join('|')})\\^\\(?-1\\)?`, 'gi');

function atomOf(text: string): Atom | undefined {
  const key = text.toLowerCase().replace(/\s+/g, ' ').trim();
  if (/^square met/.test(key)) return ATOMS.get('m2');
  if (/^per\s?cent$/.test(key)) return ATOMS.get('%');
  const degrees = /^(?:degrees?|deg|°) ?(c|f)/.exec(key);
  if (degrees) return ATOMS.get(degrees[1] === 'c' ? '°c' : '°f');
  return ATOMS.get(key);
}

function compose(atoms: readonly Atom[]): Unit {
  const powers = new Map<Dimension, number>();
  let factor = 1;
  atoms.forEach((atom, index) => {
    const sign = index === 0 ? 1 : -1;
    // Mass below the line is body weight: mg/kg must not cancel to a pure number.
    const dimension = index > 0 && (atom.name === 'kg' || atom.name === 'lb') ? 'body' : atom.dimension;
    powers.set(dimension, (powers.get(dimension) ?? 0) + sign * atom.power);
    factor *= atom.factor ** sign;
  });
  const dimensions = [...powers].map(([dimension, power]) => `${dimension}^${power}`).sort();
  return { name: atoms.map((atom) => atom.name).join('/'), factor, dimensions: dimensions.join(' ') };
}

/** Words that make of `in`, `a` or a lone letter an ordinary word: "20 in all", "3 in total". */
const NOT_INCHES = /^\s*in\s+[a-z]/i;

/** The unit at the start of `text` (spaces before it allowed) and the characters it takes; null where there is none. */
export function readUnit(text: string): { unit: Unit; length: number } | null {
  const match = UNIT_AT_START.exec(text.length > 80 ? text.slice(0, 80) : text);
  if (!match) return null;
  const first = atomOf(match[1] ?? '');
  if (!first || (first.name === 'in' && NOT_INCHES.test(text))) return null;
  const atoms = [first];
  for (const next of (match[2] ?? '').matchAll(NEXT_ATOM)) {
    const atom = atomOf(next[1] ?? next[2] ?? '');
    if (atom) atoms.push(atom);
  }
  return { unit: compose(atoms), length: match[0].length };
}

/** A whole text as a unit, `mL/hr` → mL/h; null where it is none. Superscripts may be written `^2`, `2` or `²`. */
export function parseUnit(text: string): Unit | null {
  const plain = text.replace(/²/g, '2').replace(/µ|μ/g, 'μ').trim();
  const read = readUnit(plain);
  return read && read.length === plain.length ? read.unit : null;
}

/** `value` in another unit of the same dimension, null where the two measure different things. */
export function convertUnit(value: number, from: Unit, to: Unit): number | null {
  if (from.name === to.name) return value;
  if (from.name === '°C' && to.name === '°F') return (value * 9) / 5 + 32;
  if (from.name === '°F' && to.name === '°C') return ((value - 32) * 5) / 9;
  return from.dimensions === to.dimensions ? (value * from.factor) / to.factor : null;
}
