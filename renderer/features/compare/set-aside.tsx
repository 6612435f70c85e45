/** What was chosen and is not in the comparison: why, and what would let it in. */
import { Button } from '@mantine/core';
import type { Comparable } from '../../../shared/compare.ts';
import type { CompareResult } from '../../../shared/rpc/compare.ts';
import type { Choice } from './choice.ts';

const MEANS: Record<Comparable, string> = {
  questions: 'compare over the questions that both were asked',
  split: 'treat both splits as one',
  prompt: 'the models saw other words',
  cap: 'a shorter limit alone makes answers shorter',
  grader: 'another grader may count other answers as right',
  mode: 'one wrote answers, the other chose the likeliest option',
  decoding: 'answers were sampled in another way',
};

export function SetAside({ result, choice }: { result: CompareResult; choice: Choice }) {
  const { set_aside, unreadable, notes } = result;
  const allow = (name: Comparable): void => choice.setAllow([...choice.allow, name]);
  return (
    <div className="compare-aside">
      {unreadable.map(({ ref, message }) => (
        <section key={ref} className="card compare-left-out" role="alert">
          <h2 className="state-failed">
            <span aria-hidden="true">✕</span> {ref} cannot be read and is left out
          </h2>
          <p className="verbatim">{message}</p>
        </section>
      ))}
      {set_aside.map(({ name, against, differing, why }) => (
        <section key={name} className="card compare-left-out">
          <h2 className="state-unverifiable">
            <span aria-hidden="true">⚠</span> {name} is not compared
          </h2>
          <p>{why}.</p>
          {differing.length === 0 ? null : (
            <table className="compare-differs">
              <thead>
                <tr>
                  <th>differs in</th>
                  <th>{against}</th>
                  <th>{name}</th>
                  <th>
                    <span className="compare-hidden">allow</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {differing.map((one) => (
                  <tr key={one.name}>
                    <th scope="row">{one.name}</th>
                    <td>{one.before}</td>
                    <td>{one.after}</td>
                    <td>
                      <Button variant="default" size="compact-xs" onClick={() => allow(one.name)}>
                        Allow {one.name}
                      </Button>{' '}
                      <span className="quiet small">{MEANS[one.name]}</span>
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          )}
        </section>
      ))}
      {choice.allow.length === 0 ? null : (
        <p className="compare-allowed">
          Allowed to differ:
          {choice.allow.map((name) => (
            <Button
              key={name}
              variant="default"
              size="compact-xs"
              onClick={() => choice.setAllow(choice.allow.filter((one) => one !== name))}
            >
              {name} ✕<span className="compare-hidden"> do not allow</span>
            </Button>
          ))}
        </p>
      )}
      {notes.map((note) => (
        <p key={note} className="quiet small">
          {note}
        </p>
      ))}
    </div>
  );
}
