/** An answer token by token: shaded by probability, exact figures of one token in a fixed place, the extracted answer underlined. */
import { type KeyboardEvent, type ReactNode, useId, useState } from 'react';
import { countText, figureText } from '../../../shared/figures/number-text.ts';
import type { AnswerToken } from '../../../shared/model-answer.ts';
import { PieceContent } from '../../tokens/token-text.tsx';
import { SHADES, shadeOf } from './probability.ts';
import type { Answer } from './use-answer.ts';

/** The part of a token that belongs to the extracted answer is underlined. */
function TokenContent({
  token,
  start,
  span,
}: {
  token: AnswerToken;
  start: number | undefined;
  span: readonly [number, number] | null;
}): ReactNode {
  if (token.kind !== 'text' || span === null || start === undefined) return <PieceContent piece={token} />;
  const [from, to] = [Math.max(0, span[0] - start), Math.min(token.text.length, span[1] - start)];
  if (to <= from) return token.text;
  return (
    <>
      {token.text.slice(0, from)}
      <u className="answer-found">{token.text.slice(from, to)}</u>
      {token.text.slice(to)}
    </>
  );
}

function Legend() {
  return (
    <p className="answer-legend small quiet">
      <span>probability of each token:</span>
      {SHADES.map(({ words }, place) => (
        <span key={words} className="answer-legend-item">
          <span className={`answer-swatch answer-shade-${place}`} aria-hidden="true" /> {words}
        </span>
      ))}
    </p>
  );
}

const named = (text: string): string => (text.trim() === '' ? text.replaceAll(' ', '␣').replaceAll('\n', '↵') : text);

/** Exact figures of the token under the pointer or the keys. */
function TokenFigures({ answer, place }: { answer: Answer; place: number | null }) {
  const token = place === null ? undefined : answer.tokens[place];
  if (token === undefined || place === null) {
    return (
      <p className="answer-figures small quiet">Point at a token, or focus the answer and use the arrow keys, for its exact figures.</p>
    );
  }
  const entropy = answer.result?.entropy[place];
  const greedy = answer.result?.greedy[place];
  return (
    <p className="answer-figures small" aria-live="polite">
      <span className="mono answer-figures-text">{named(token.text)}</span>
      <span>
        token {countText(place + 1)}, id {token.id}
      </span>
      <span>p {figureText(Math.exp(token.logprob))}</span>
      <span>log p {figureText(token.logprob)}</span>
      {entropy === undefined ? null : <span>entropy {figureText(entropy)} nats</span>}
      {greedy === undefined ? null : <span>{greedy ? 'the most probable' : 'not the most probable'}</span>}
    </p>
  );
}

export function AnswerTokens({ answer }: { answer: Answer }) {
  const { tokens, result, prefix } = answer;
  const [active, setActive] = useState<number | null>(null);
  const id = useId();
  const move = (event: KeyboardEvent): void => {
    const last = tokens.length - 1;
    const at = active ?? -1;
    const next = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: last }[event.key];
    if (next === undefined || last < 0) return;
    event.preventDefault();
    const place = Math.min(last, Math.max(0, next));
    setActive(place);
    document.getElementById(`${id}-${place}`)?.scrollIntoView({ block: 'nearest' });
  };
  return (
    <>
      <div
        className="answer-tokens"
        role="listbox"
        aria-label="Answer, token by token"
        aria-orientation="horizontal"
        tabIndex={0}
        aria-activedescendant={active === null ? undefined : `${id}-${active}`}
        onKeyDown={move}
        onMouseLeave={() => setActive(null)}
      >
        {prefix === '' ? null : (
          <span className="answer-prefix" role="option" aria-selected={false} tabIndex={-1} title="The answer was made to start with this">
            {prefix}
          </span>
        )}
        {tokens.map((token, place) => (
          // Reached through the box's arrow keys; a stop for each of hundreds of tokens would be a trap.
          <span
            key={place}
            id={`${id}-${place}`}
            className={`answer-token answer-shade-${shadeOf(token.logprob)}${place === active ? ' answer-token-active' : ''}`}
            role="option"
            tabIndex={-1}
            aria-selected={place === active}
            aria-label={`${named(token.text)}, probability ${figureText(Math.exp(token.logprob))}`}
            onMouseEnter={() => setActive(place)}
          >
            <TokenContent token={token} start={result?.starts[place]} span={result?.span ?? null} />
          </span>
        ))}
      </div>
      <TokenFigures answer={answer} place={active} />
      <Legend />
    </>
  );
}
