/** What became of one data set, in two numbers with their intervals. */
import type { Verdict } from '../../../shared/evaluation.ts';
import { figureText, percentText, signed } from '../../../shared/figures/number-text.ts';
import type { RecordedExample } from '../../../shared/recorded-example.ts';

const VERDICT: Record<Verdict, [sign: string, words: string, state: string]> = {
  better: ['✓', 'better', 'state-done'],
  non_inferior: ['✓', 'no worse than the margin allows', 'state-done'],
  inferior: ['✕', 'worse', 'state-failed'],
  inconclusive: ['?', 'too few questions to tell', 'state-unverifiable'],
};

export function Headline({ set: { name, role, comparison } }: { set: RecordedExample['sets'][number] }) {
  const { before, after, accuracy_difference: difference, token_ratio: ratio } = comparison;
  const [sign, words, state] = VERDICT[comparison.verdict];
  return (
    <div className="card home-headline">
      <h3>{name}</h3>
      <p className="quiet small">
        {role}. {before.n} questions.
      </p>
      <dl>
        <div>
          <dt>Accuracy (%)</dt>
          <dd className="home-number">
            {percentText(before.accuracy)} → {percentText(after.accuracy)}
          </dd>
          <dd className="quiet small">
            {signed(percentText(difference.value))} points [{signed(percentText(difference.ci[0]))}, {signed(percentText(difference.ci[1]))}
            ]
          </dd>
        </div>
        {before.mode === 'likelihood' ? null : (
          <div>
            <dt>Mean tokens an answer</dt>
            <dd className="home-number">
              {figureText(before.tokens.mean)} → {figureText(after.tokens.mean)}
            </dd>
            <dd className="quiet small">
              × {figureText(ratio.value)} [{figureText(ratio.ci[0])}, {figureText(ratio.ci[1])}]
            </dd>
          </div>
        )}
        <div>
          <dt>Accuracy is</dt>
          <dd className={state}>
            <span aria-hidden="true">{sign}</span> {words}
          </dd>
          <dd className="quiet small">
            {comparison.flips.gained} gained, {comparison.flips.lost} lost
          </dd>
        </div>
      </dl>
    </div>
  );
}
