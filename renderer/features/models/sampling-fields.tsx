/** How an answer is drawn. */
import { NumberInput } from '@mantine/core';
import type { AnswerSampling } from '../../../shared/model-answer.ts';
import { Term } from './help.tsx';

export interface AnswerSettings extends AnswerSampling {
  max_completion_length: number;
}

interface Field {
  name: keyof AnswerSettings;
  label: string;
  help: string;
  min: number;
  max: number;
  step: number;
  whole: boolean;
}

const FIELDS: readonly Field[] = [
  {
    name: 'temperature',
    label: 'Temperature',
    help: '0 always takes the most probable token; 1 draws from what the model believes; more is wilder.',
    min: 0,
    max: 10,
    step: 0.1,
    whole: false,
  },
  {
    name: 'top_p',
    label: 'Top p',
    help: 'Draws only from the most probable tokens that together reach this probability. 1 keeps all.',
    min: 0.01,
    max: 1,
    step: 0.05,
    whole: false,
  },
  {
    name: 'top_k',
    label: 'Top k',
    help: 'Draws only from this many of the most probable tokens. 0 keeps all.',
    min: 0,
    max: 1_000_000,
    step: 1,
    whole: true,
  },
  {
    name: 'seed',
    label: 'Seed',
    help: 'The same seed, question and settings give the same answer.',
    min: 0,
    max: 0xffffffff,
    step: 1,
    whole: true,
  },
  {
    name: 'max_completion_length',
    label: 'Token limit',
    help: 'Tokens after which the answer is cut.',
    min: 1,
    max: 32_768,
    step: 16,
    whole: true,
  },
];

export function SamplingFields({ value, onChange }: { value: AnswerSettings; onChange: (value: AnswerSettings) => void }) {
  return (
    <div className="try-sampling">
      {FIELDS.map(({ name, label, help, min, max, step, whole }) => (
        <div key={name}>
          <Term help={help}>{label}</Term>
          <NumberInput
            aria-label={label}
            min={min}
            max={max}
            step={step}
            allowDecimal={!whole}
            allowNegative={false}
            clampBehavior="blur"
            value={value[name]}
            onChange={(given) => {
              if (typeof given === 'number' && given >= min && given <= max) onChange({ ...value, [name]: given });
            }}
          />
        </div>
      ))}
    </div>
  );
}
