/** What the run will take here: steps, tokens, memory, time. What a rented machine costs stands where it is chosen. */
import { Alert, Button, Loader } from '@mantine/core';
import type { RunConfig } from '../../../shared/config.ts';
import type { DryRun, Range, RunEstimate } from '../../../shared/dry-run.ts';
import { signalNote, signalText } from '../../../shared/learning-signal.ts';
import { secondsInWords } from '../../../shared/run-words.ts';
import type { Estimate } from './use-estimate.ts';

const significant = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });
const compact = new Intl.NumberFormat('en', { maximumSignificantDigits: 3, notation: 'compact' });
const mebibytes = (bytes: number): string =>
  bytes >= 2 ** 30 ? `${significant.format(bytes / 2 ** 30)} GiB` : `${significant.format(bytes / 2 ** 20)} MiB`;

const spread = (range: Range | null, text: (value: number) => string): string =>
  range === null
    ? 'not known'
    : range.low === range.high
      ? text(range.value)
      : `${text(range.value)} (${text(range.low)} to ${text(range.high)})`;

const memoryText = ({ total, thread, limit }: RunEstimate['memory']): string =>
  limit === null
    ? `${mebibytes(total)}; what the device has is not told`
    : `${mebibytes(total)}; one thread may have ${mebibytes(limit)} and needs ${mebibytes(thread)}`;

/** The rows that say something of this kind of run. */
function rowsOf(
  { steps, answers, tokens, answer_length, memory, seconds, learning_signal }: RunEstimate,
  { kind }: RunConfig,
  here: boolean,
): [string, string][] {
  return [
    ...(steps === null ? [] : [['Optimizer steps', significant.format(steps)] as [string, string]]),
    ...(answers === 0 ? [] : [['Answers written', compact.format(answers)] as [string, string]]),
    ...(answer_length === null ? [] : [['Tokens an answer', spread(answer_length, (n) => significant.format(n))] as [string, string]]),
    ['Tokens read', compact.format(tokens.prompt)],
    ...(answers === 0 ? [] : [['Tokens written', spread(tokens.completion, (n) => compact.format(n))] as [string, string]]),
    ...(kind === 'evaluate' ? [] : [['Tokens trained on', spread(tokens.trained, (n) => compact.format(n))] as [string, string]]),
    ...(learning_signal === null ? [] : [['Learning signal', signalText(learning_signal)] as [string, string]]),
    ['Memory', memoryText(memory)],
    ['Time', spread(seconds, secondsInWords)],
    ...(here ? [['Money', 'no rented machine, so no money'] as [string, string]] : []),
  ];
}

/** A name, or the end of a folder's path: that of a run's model is always `model`. */
const modelName = (model: string): string => model.split(/[/\\]/).slice(-2).join('/');

/** A run that is refused for its memory: the figure, and each way by which it would fit. */
function Refusal({ text }: { text: string }) {
  const [finding = '', advice] = text.split('; it would fit with ');
  const ways = advice?.split(/, | or /) ?? [];
  return (
    <Alert color="red" variant="light" title="It does not fit here" className="configure-message">
      <p>{finding}.</p>
      {ways.length === 0 ? null : (
        <>
          <p>It would fit with any of these:</p>
          <ul className="configure-elsewhere">
            {ways.map((way) => (
              <li key={way} className="mono">
                {way}
              </li>
            ))}
          </ul>
        </>
      )}
    </Alert>
  );
}

interface EstimateProps {
  estimate: Estimate;
  /** The config as it stands. */
  config: string;
  /** The model and the data, once they have been looked at. */
  found: DryRun | null;
  begin: (() => void) | null;
  /** Why it is refused, where that is for its memory. */
  refusal: string | null;
  /** The run is carried out on this computer. */
  here: boolean;
}

export function EstimateView({ estimate, config, found: checked, begin, refusal, here }: EstimateProps) {
  const { running, result, error, stop } = estimate;
  const found = result?.dryRun.estimate ?? null;
  return (
    <section aria-labelledby="estimate-title" className="configure-part">
      <div className="configure-part-head">
        <h2 id="estimate-title">Before you start</h2>
        {running ? (
          <Button variant="default" onClick={stop}>
            Stop the trial
          </Button>
        ) : (
          <Button variant="default" disabled={begin === null} onClick={() => begin?.()}>
            {found === null ? 'Estimate' : 'Estimate again'}
          </Button>
        )}
      </div>
      {refusal === null ? null : <Refusal text={refusal} />}
      {checked === null ? null : (
        <p className="small">
          {modelName(checked.config.model)}, {compact.format(checked.model.parameters)} parameters
          {checked.data.map(({ name, split, n }) => (
            <span key={`${name}:${split}`}>
              {' '}
              · {name}:{split}, {n.toLocaleString('en')} questions
            </span>
          ))}
        </p>
      )}
      <div aria-live="polite">
        {running ? (
          <p className="configure-running small">
            <Loader size={14} aria-hidden="true" /> Counting the prompts and trying the model for some seconds …
          </p>
        ) : null}
        {!running && error !== null ? <p className="configure-wrong">✕ {error.message}</p> : null}
        {!running && found === null && error === null ? (
          <p className="small quiet">
            Steps, tokens, memory and time, from a trial on this machine: some seconds, for a large model a minute. Nothing is written.
          </p>
        ) : null}
        {found !== null && result !== null ? (
          <>
            {result.config === config ? null : <p className="small state-unverifiable">⚠ Of the settings before your last change.</p>}
            <dl className="configure-estimate">
              {rowsOf(found, result.dryRun.config, here).map(([name, value]) => (
                <div key={name}>
                  <dt className="quiet">{name}</dt>
                  <dd>{value}</dd>
                </div>
              ))}
            </dl>
            {found.notes.map((note) => {
              const warns = found.learning_signal !== null && note === signalNote(found.learning_signal);
              return (
                <p key={note} className={warns ? 'small state-unverifiable' : 'small quiet'}>
                  {warns ? '⚠ ' : ''}
                  {note}
                </p>
              );
            })}
          </>
        ) : null}
      </div>
    </section>
  );
}
