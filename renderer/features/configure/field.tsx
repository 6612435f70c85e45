/** One setting: its names, its control, what it means, its default and why it is bounded, and what is wrong with it. */
import { ActionIcon, Tooltip } from '@mantine/core';
import { RotateCcw } from 'lucide-react';
import { Fragment } from 'react';
import { type Draft, settingOf, withSetting } from '../../../shared/config-draft.ts';
import type { FormField } from '../../../shared/config-form.ts';
import { type FieldWords, fieldSentence } from '../../../shared/config-groups.ts';
import { valueAt } from '../../../shared/schema-path.ts';
import type { RewardFunctionInfo } from '../../../shared/start-points.ts';
import { controlId } from './control-id.ts';
import { FieldInput } from './field-input.tsx';
import type { ShownMistake } from './mistakes.ts';
import { Rewards } from './rewards.tsx';
import { fieldText } from './typed-number.ts';

export interface FormContext {
  draft: Draft;
  setDraft: (draft: Draft) => void;
  rewards: readonly RewardFunctionInfo[];
  /** What the user has chosen to stand where nothing is given, by path. */
  defaults: Readonly<Record<string, string>>;
  /** By path. */
  suggestions: Readonly<Record<string, readonly string[]>>;
}

/** What stands where nothing is given, in words. */
function defaultText({ fallback, kind }: FormField, words: FieldWords): string | null {
  if (kind === 'rewards') return null;
  if (kind === 'part') return 'Default: off';
  if (kind === 'boolean') return `Default: ${fallback === true ? 'on' : 'off'}`;
  if (fallback === undefined || fallback === null) return words.absent === undefined ? null : `Default: ${words.absent}`;
  return `Default: ${fieldText(fallback) || 'none'}`;
}

/** `At least 2: a lone answer has no other to be better or worse than.` */
const boundText = ({ bounds }: FormField, { bound }: FieldWords): string | null =>
  bounds === null ? null : `${bounds.charAt(0).toUpperCase()}${bounds.slice(1)}${bound === undefined ? '' : `: ${bound}`}`;

interface FieldProps {
  field: FormField;
  words: FieldWords;
  mistakes: readonly ShownMistake[];
  form: FormContext;
}

export function Field({ field: plain, words, mistakes, form }: FieldProps) {
  const { draft, setDraft } = form;
  const own = form.defaults[plain.path];
  const field = own === undefined ? plain : { ...plain, fallback: own };
  const { path, kind } = field;
  const given = valueAt(draft, path.split('.'));
  const isSet = given !== undefined && given !== null;
  const id = controlId(path);
  const change = (value: unknown): void => setDraft(withSetting(draft, path, value));
  const choice = kind === 'choice' ? words.choices?.[fieldText(settingOf(draft, field))] : undefined;
  const wrong = mistakes.length === 0 ? null : mistakes.map(({ text }) => text).join('; ');
  const rules = [defaultText(field, words), own === undefined ? null : 'chosen in Settings', boundText(field, words)]
    .filter((text) => text !== null)
    .join(' · ');
  const says = (
    <>
      <span className="configure-sentence">{fieldSentence(words, draft.kind)}</span>
      {choice === undefined ? null : <span className="configure-line">Now: {choice}.</span>}
      {rules === '' ? null : <span className="configure-line quiet">{rules}</span>}
    </>
  );
  return (
    <div className="configure-field" data-within={field.within !== null || undefined} data-set={isSet || undefined}>
      <div className="configure-names">
        <div className="configure-label">
          {kind === 'rewards' ? <span>{words.label}</span> : <label htmlFor={id}>{words.label}</label>}
          {isSet && kind !== 'part' && kind !== 'boolean' ? (
            <Tooltip label="Back to the default">
              <ActionIcon size="xs" aria-label={`${words.label}: back to the default`} onClick={() => change(undefined)}>
                <RotateCcw size={12} aria-hidden="true" />
              </ActionIcon>
            </Tooltip>
          ) : null}
        </div>
        <span className="mono quiet configure-path">
          {path.split(/(?<=[_.])/).map((part, i) => (
            <Fragment key={i}>
              {part}
              <wbr />
            </Fragment>
          ))}
        </span>
      </div>
      <div className="configure-control">
        {kind === 'rewards' ? (
          <>
            <div className="small">{says}</div>
            <Rewards value={settingOf(draft, field)} change={change} known={form.rewards} mistakes={mistakes} path={path} />
          </>
        ) : (
          <FieldInput
            field={field}
            words={words}
            given={given}
            change={change}
            id={id}
            says={says}
            wrong={wrong}
            suggestions={form.suggestions[path] ?? []}
          />
        )}
      </div>
    </div>
  );
}
