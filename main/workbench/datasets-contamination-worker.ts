/** The process that looks for one split's questions in the other splits of its set; says what it found and ends. */
import { InputError } from '../../shared/input-error.ts';
import { openDataset } from '../data/catalogue.ts';
import { contaminationBySplits } from '../data/contamination-check.ts';

const [, , spec = ''] = process.argv;
/** Ends once it is said. */
const say = (answer: object): void => void process.send?.(answer, () => process.disconnect());
try {
  const { questions } = await openDataset(spec, { unlabelled: true });
  say({ found: await contaminationBySplits(spec, questions) });
} catch (error) {
  say({ error: error instanceof Error ? error.message : String(error), input: error instanceof InputError });
}
