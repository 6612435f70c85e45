/** The list of reward terms: which function, how much it weighs, from when on, and its own settings. */
import { ActionIcon, Button, Select, Tooltip } from '@mantine/core';
import { Plus, X } from 'lucide-react';
import { isPlainObject, type JsonObject } from '../../../shared/json-object.ts';
import type { RewardFunctionInfo } from '../../../shared/start-points.ts';
import { controlId } from './control-id.ts';
import type { ShownMistake } from './mistakes.ts';
import { TypedInput } from './typed-input.tsx';
import { fieldText, typedNumber } from './typed-number.ts';

interface RewardsProps {
  value: unknown;
  change: (value: unknown) => void;
  known: readonly RewardFunctionInfo[];
  mistakes: readonly ShownMistake[];
  path: string;
}

/** `term` with a setting of its own; undefined takes it out. */
function changed(term: JsonObject, key: string, value: unknown): JsonObject {
  const { [key]: _, ...rest } = term;
  return value === undefined ? rest : { ...rest, [key]: value };
}

interface NumberProps {
  id: string;
  label: string;
  value: unknown;
  fallback: number;
  change: (value: unknown) => void;
  wrong: string | undefined;
}

function TermNumber({ id, label, value, fallback, change, wrong }: NumberProps) {
  return (
    <div className="configure-term-number">
      <label htmlFor={id} className="small">
        {label}
      </label>
      <TypedInput
        id={id}
        inputMode="decimal"
        value={value}
        placeholder={String(fallback)}
        read={typedNumber}
        change={change}
        error={wrong === undefined ? null : `✕ ${wrong}`}
        classNames={{ error: 'configure-wrong' }}
      />
    </div>
  );
}

export function Rewards({ value, change, known, mistakes, path }: RewardsProps) {
  const terms = Array.isArray(value) ? value.map((term: unknown) => (isPlainObject(term) ? term : {})) : [];
  const wrongAt = (at: string): string | undefined => mistakes.find(({ field }) => field === at)?.text;
  const used = new Set(terms.map(({ name }) => name));
  const replace = (place: number, term: JsonObject): void => change(terms.map((old, i) => (i === place ? term : old)));
  const shown = new Set<string>();
  const say = (at: string): string | undefined => {
    const text = wrongAt(at);
    if (text !== undefined) shown.add(at);
    return text;
  };
  const cards = terms.map((term, i) => {
    const own = `${path}.${i}`;
    const info = known.find(({ name }) => name === term.name);
    const name = fieldText(term.name);
    const params = isPlainObject(term.params) ? term.params : {};
    const names = [...new Set([...Object.keys(info?.params ?? {}), ...Object.keys(params)])];
    const nameWrong = say(`${own}.name`);
    return (
      // A term has no other name, and one function may stand twice while it is being chosen.
      <li key={i} className="card configure-term">
        <div className="configure-term-head">
          <Select
            id={controlId(`${own}.name`)}
            aria-label={`Reward function ${i + 1}`}
            data={[...new Set([...known.map((one) => one.name), ...(name === '' ? [] : [name])])]}
            value={name === '' ? null : name}
            placeholder="Choose a function"
            allowDeselect={false}
            error={nameWrong === undefined ? null : `✕ ${nameWrong}`}
            classNames={{ error: 'configure-wrong' }}
            onChange={(chosen) => replace(i, changed({ ...term, name: chosen }, 'params', undefined))}
          />
          <Tooltip label="Remove this function">
            <ActionIcon
              aria-label={`Remove reward function ${i + 1}, ${name || 'not chosen'}`}
              onClick={() => change(terms.filter((_, at) => at !== i))}
            >
              <X size={14} aria-hidden="true" />
            </ActionIcon>
          </Tooltip>
        </div>
        <p className="small quiet configure-meaning">{info?.meaning ?? 'This function is not known here.'}</p>
        <div className="configure-term-numbers">
          <TermNumber
            id={controlId(`${own}.weight`)}
            label="Weight"
            value={term.weight}
            fallback={1}
            change={(weight) => replace(i, changed(term, 'weight', weight))}
            wrong={say(`${own}.weight`)}
          />
          <TermNumber
            id={controlId(`${own}.start_step`)}
            label="Counts from step"
            value={term.start_step}
            fallback={0}
            change={(step) => replace(i, changed(term, 'start_step', step))}
            wrong={say(`${own}.start_step`)}
          />
          {names.map((param) => (
            <TermNumber
              key={param}
              id={controlId(`${own}.params.${param}`)}
              label={param}
              value={params[param]}
              fallback={info?.params[param] ?? 0}
              change={(given) => replace(i, { ...term, params: changed(params, param, given) })}
              wrong={say(`${own}.params.${param}`)}
            />
          ))}
        </div>
      </li>
    );
  });
  const rest = mistakes.filter(({ field }) => !shown.has(field));
  return (
    <>
      <ul className="configure-terms" aria-label="Reward functions">
        {cards}
      </ul>
      {rest.length > 0 ? (
        <p className="configure-wrong">✕ {rest.map(({ field, text }) => (field === path ? text : `${field}: ${text}`)).join('; ')}</p>
      ) : null}
      <Button
        id={controlId(path)}
        variant="default"
        className="configure-add"
        leftSection={<Plus size={14} aria-hidden="true" />}
        onClick={() => change([...terms, { name: known.find(({ name }) => !used.has(name))?.name ?? known[0]?.name ?? '' }])}
      >
        Add a reward function
      </Button>
    </>
  );
}
