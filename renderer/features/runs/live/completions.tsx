/** Every answer of a run: a list of questions by step, and the answers to the chosen one side by side. */
import { Button, SegmentedControl, Switch } from '@mantine/core';
import { ChevronLeft, ChevronRight } from 'lucide-react';
import { useMemo, useState } from 'react';
import { figureText } from '../../../../shared/figures/number-text.ts';
import { type AnswerGroup, AnswerVerdict, type GroupFilter, Phase } from '../../../../shared/run-live.ts';
import { open, useParameter } from '../../../app/address.ts';
import { PaneHandle } from '../../../app/pane-handle.tsx';
import { useShortcuts } from '../../../app/shortcuts.tsx';
import { Empty, Failed, Loading } from '../../../app/states.tsx';
import { useQuery } from '../../../rpc/use-query.ts';
import { type Column, DataTable } from '../../../table/data-table.tsx';
import { ConditionForm, type FilterChip, FilterChips, FilterPopover } from '../../../table/filter-chips.tsx';
import { conditionWords, isSound, type RowCondition, type RowField } from '../../../table/row-conditions.ts';
import { GroupView } from './group.tsx';
import { PAGE, usePager, useWindowOfRows } from './pages.ts';
import type { LiveTabProps } from './tab-props.ts';

const COLUMNS: readonly Column<AnswerGroup>[] = [
  { id: 'step', header: 'Step', width: 64, align: 'right', cell: (group) => group.step },
  { id: 'question', header: 'Question', width: 100, grow: true, cell: (group) => group.question },
  {
    id: 'right',
    header: 'Right',
    hint: 'Answers that the strict grader finds right, of all',
    width: 74,
    align: 'right',
    cell: (group) => `${group.correct}/${group.n}`,
  },
  { id: 'reward', header: 'Reward', hint: 'Mean reward', width: 88, align: 'right', cell: (group) => figureText(group.mean_reward) },
  {
    id: 'tokens',
    header: 'Tokens',
    hint: 'Mean tokens an answer',
    width: 86,
    align: 'right',
    cell: (group) => figureText(group.mean_tokens),
  },
];

/** Within one step, its number in every row says nothing. */
const COLUMNS_OF_A_STEP = COLUMNS.slice(1);

const PHASE_WORDS: Record<Phase, string> = { train: 'Training', validation: 'Validation', evaluation: 'Evaluation' };
const FIELDS: readonly RowField[] = [
  {
    name: 'verdict',
    label: 'verdict',
    values: [
      { value: 'correct', label: 'right' },
      { value: 'wrong', label: 'wrong' },
      { value: 'invalid', label: 'invalid' },
      { value: 'truncated', label: 'cut off' },
    ],
  },
  { name: 'reward', label: 'reward' },
  { name: 'tokens', label: 'tokens' },
];

const numberOf = (text: string | null): number | undefined =>
  text === null || text === '' || Number.isNaN(Number(text)) ? undefined : Number(text);

/** Where the address keeps each condition: a link may set one. */
const PARAMETERS = [
  { parameter: 'verdict', field: 'verdict', op: 'is' },
  { parameter: 'reward-min', field: 'reward', op: '>=' },
  { parameter: 'reward-max', field: 'reward', op: '<=' },
  { parameter: 'tokens-min', field: 'tokens', op: '>=' },
  { parameter: 'tokens-max', field: 'tokens', op: '<=' },
] as const;

/** The conditions in the address, and how to change one. */
function useFilter() {
  const [phase] = useParameter('phase');
  const [step, setStep] = useParameter('step');
  const [verdict, setVerdict] = useParameter('verdict');
  const [rewardMin, setRewardMin] = useParameter('reward-min');
  const [rewardMax, setRewardMax] = useParameter('reward-max');
  const [tokensMin, setTokensMin] = useParameter('tokens-min');
  const [tokensMax, setTokensMax] = useParameter('tokens-max');
  const filter = useMemo<GroupFilter>(
    () => ({
      phase: Phase.safeParse(phase).data,
      step: step === 'all' ? undefined : (numberOf(step) ?? 'latest'),
      verdict: AnswerVerdict.safeParse(verdict).data,
      reward_min: numberOf(rewardMin),
      reward_max: numberOf(rewardMax),
      tokens_min: numberOf(tokensMin),
      tokens_max: numberOf(tokensMax),
    }),
    [phase, step, verdict, rewardMin, rewardMax, tokensMin, tokensMax],
  );
  const values = [verdict, rewardMin, rewardMax, tokensMin, tokensMax];
  const setters = [setVerdict, setRewardMin, setRewardMax, setTokensMin, setTokensMax];
  const chips = PARAMETERS.flatMap(({ field, op }, i): FilterChip[] => {
    const condition: RowCondition = { field, op, value: values[i] ?? '' };
    if (!isSound(condition, FIELDS)) return [];
    return [{ words: conditionWords(condition, FIELDS), remove: () => setters[i]?.(null) }];
  });
  const add = (condition: RowCondition): void =>
    setters[PARAMETERS.findIndex(({ field, op }) => field === condition.field && op === condition.op)]?.(condition.value);
  return { filter, step, setStep, chips, add };
}

export function CompletionsTab({ run, kind, live }: LiveTabProps) {
  const chosen = useFilter();
  const { filter, setStep } = chosen;
  const [question, setQuestion] = useParameter('q');
  const [atStep, setAtStep] = useParameter('at');
  const [from, see] = useWindowOfRows();
  const page = useQuery('runs.groups', { run, filter, from, limit: PAGE }, live ? { everyMs: 2000 } : {});
  const { data } = page;
  const rows = usePager(data?.matching ?? 0, data?.from ?? 0, data?.groups, see);
  const [touched, setTouched] = useState<number | null>(null);
  const steps = data?.steps;
  const toStep = (step: number | null | undefined): void => {
    if (step === null || step === undefined) return;
    setStep(String(step));
    setQuestion(null);
    setTouched(null);
  };
  useShortcuts('Completions', [
    { key: '[', does: 'previous step', run: () => toStep(steps?.before ?? (steps?.at === null ? steps.last : null)) },
    { key: ']', does: 'next step', run: () => toStep(steps?.after) },
  ]);
  if (data === null)
    return page.error === null ? (
      <Loading what="Reading the run's answers" />
    ) : (
      <Failed what="The answers could not be read" error={page.error} retry={page.refresh} />
    );
  if (data.phases.length === 0)
    return (
      <Empty title="No answers yet">
        {kind === 'sft'
          ? 'Supervised training learns from given answers; the model answers only where the config asks for validation.'
          : live
            ? 'Each answer of the model is kept as it comes: the first ones appear with the first step.'
            : 'This run ended before its first answer; its log says why.'}
      </Empty>
    );
  const group =
    data.groups.find((one) => one.question === question && (atStep === null || String(one.step) === atStep)) ??
    (question === null ? data.groups[0] : undefined);
  const active = group === undefined ? touched : data.from + data.groups.indexOf(group);
  const oneStep = filter.step !== undefined;
  const goTo = (index: number): void => {
    setTouched(index);
    const next = rows.row(index);
    if (next === undefined) return;
    setQuestion(next.question);
    setAtStep(oneStep ? null : String(next.step));
  };
  return (
    <>
      <div className="toolbar">
        {data.phases.length > 1 ? (
          <SegmentedControl
            aria-label="Which answers"
            data={data.phases.map((value) => ({ value, label: PHASE_WORDS[value] }))}
            value={data.phase ?? 'train'}
            onChange={(value) => open(['runs', run], { tab: 'completions', phase: value })}
          />
        ) : null}
        <Button.Group>
          <Button variant="default" disabled={steps?.before === null} aria-label="Previous step" onClick={() => toStep(steps?.before)}>
            <ChevronLeft size={14} aria-hidden="true" />
          </Button>
          <Button.GroupSection variant="default" size="xs" className="completions-step">
            {steps?.at === null ? 'All steps' : `Step ${steps?.at} of ${steps?.last}`}
          </Button.GroupSection>
          <Button variant="default" disabled={steps?.after === null} aria-label="Next step" onClick={() => toStep(steps?.after)}>
            <ChevronRight size={14} aria-hidden="true" />
          </Button>
        </Button.Group>
        <Switch label="All steps" checked={!oneStep} onChange={(event) => setStep(event.currentTarget.checked ? 'all' : null)} />
        {live && chosen.step !== null ? (
          <Button variant="default" onClick={() => setStep(null)}>
            Follow the latest
          </Button>
        ) : null}
        <FilterPopover
          form={(close) => (
            <ConditionForm
              fields={FIELDS}
              add={(condition) => {
                chosen.add(condition);
                close();
              }}
            />
          )}
        />
        <FilterChips chips={chosen.chips} lead="Questions with an answer whose" />
      </div>
      {data.malformed.count > 0 ? (
        <p className="live-word state-unverifiable" role="note">
          {data.malformed.count} {data.malformed.count === 1 ? 'line' : 'lines'} of completions.jsonl cannot be read and{' '}
          {data.malformed.count === 1 ? 'is' : 'are'} left out ({data.malformed.first}).
        </p>
      ) : null}
      <div className="panes">
        <div className="pane-list completions-list">
          <DataTable
            label="Questions answered"
            storageKey={oneStep ? 'completions-of-step' : 'completions'}
            columns={oneStep ? COLUMNS_OF_A_STEP : COLUMNS}
            rows={rows}
            rowKey={(one) => `${one.step} ${one.question}`}
            noun={['question', 'questions']}
            total={oneStep ? undefined : data.total}
            active={active}
            onActive={goTo}
            empty="No question fits. Take a condition away."
          />
        </div>
        <PaneHandle pane="before" name="completions-list" label="Width of the list" />
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keys */}
        <section className="pane-subject" aria-label="Answers" tabIndex={0}>
          {group === undefined ? (
            <Empty title="No question chosen">Choose one on the left. Keys: j and k through questions, [ and ] through steps.</Empty>
          ) : (
            <GroupView run={run} group={group} />
          )}
        </section>
      </div>
    </>
  );
}
