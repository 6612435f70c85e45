/** Text of a model, inert: special tokens as chips, a stretch underlined, long text folded and said to be. */
import { Button } from '@mantine/core';
import { type ReactNode, useState } from 'react';

/** Lines shown before the fold. */
const FOLD = 12;
/** Characters of a line at the card's width, about: a text without newlines folds too. */
const LINE = 60;

const SPECIAL = /(<\|[^<>|\s]{1,40}\|>)/;

/** Plain text and chips of one stretch; `at` makes keys unique. */
function pieces(text: string, at: number): ReactNode[] {
  return text.split(SPECIAL).map((part, i) =>
    i % 2 === 1 ? (
      <span key={`${at}-${i}`} className="token-chip">
        {part}
      </span>
    ) : (
      part
    ),
  );
}

const linesOf = (text: string): number => text.split('\n').reduce((sum, line) => sum + Math.max(1, Math.ceil(line.length / LINE)), 0);

export function ModelText({ text, span }: { text: string; span: readonly [number, number] | null }) {
  const [whole, setWhole] = useState(false);
  const lines = linesOf(text);
  const folds = lines > FOLD + 2;
  const [start, end] = span ?? [text.length, text.length];
  return (
    <div className="model-text">
      <p className={`verbatim model-text-body${folds && !whole ? ' model-text-folded' : ''}`}>
        {text === '' ? <span className="quiet">(empty answer)</span> : null}
        {pieces(text.slice(0, start), 0)}
        {span === null ? null : <mark className="model-text-answer">{text.slice(start, end)}</mark>}
        {pieces(text.slice(end), end)}
      </p>
      {folds ? (
        <Button variant="default" size="compact-xs" onClick={() => setWhole(!whole)} aria-expanded={whole}>
          {whole ? 'Fold' : `Show all of about ${lines} lines`}
        </Button>
      ) : null}
    </div>
  );
}
