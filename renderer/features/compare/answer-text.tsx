/** A model's answer as text: what was extracted underlined, words that the other has not marked, special tokens as chips, long ones folded. */
import { Button } from '@mantine/core';
import { diffWordsWithSpace } from 'diff';
import { type ReactNode, useState } from 'react';

export type Stretch = readonly [number, number];

/** Words of `text` that `other` has not, as stretches of `text`. */
export function ownWords(text: string, other: string): Stretch[] {
  const stretches: Stretch[] = [];
  let at = 0;
  // `other` as the older one: what is added is the text's own.
  for (const { value, added, removed } of diffWordsWithSpace(other, text)) {
    if (removed) continue;
    if (added && value.trim() !== '') stretches.push([at, at + value.length]);
    at += value.length;
  }
  return stretches;
}

const SPECIAL = /<\|[^<>|\s]{1,40}\|>/g;
const within = (place: number, stretches: readonly Stretch[]): boolean => stretches.some(([start, end]) => place >= start && place < end);

/** The text cut wherever a stretch begins or ends. */
function pieces(text: string, own: readonly Stretch[], span: Stretch | null): ReactNode[] {
  const special = [...text.matchAll(SPECIAL)].map(({ index, 0: found }): Stretch => [index, index + found.length]);
  const answer = span === null ? [] : [span];
  const cuts = [...new Set([0, text.length, ...[...own, ...special, ...answer].flat()])].sort((a, b) => a - b);
  return cuts.slice(0, -1).map((start, i) => {
    const part = text.slice(start, cuts[i + 1]);
    let shown: ReactNode = within(start, special) ? <span className="compare-chip">{part}</span> : part;
    if (within(start, answer)) shown = <u className="compare-extracted">{shown}</u>;
    return within(start, own) ? (
      <mark key={start} className="compare-own">
        {shown}
      </mark>
    ) : (
      <span key={start}>{shown}</span>
    );
  });
}

/** Lines before the fold, and characters of a line, about. */
const FOLD = 12;
const LINE = 60;
const linesOf = (text: string): number => text.split('\n').reduce((sum, line) => sum + Math.max(1, Math.ceil(line.length / LINE)), 0);

export function AnswerText({ text, span, own = [] }: { text: string; span: Stretch | null; own?: readonly Stretch[] }) {
  const [whole, setWhole] = useState(false);
  const lines = linesOf(text);
  const folds = lines > FOLD + 2;
  return (
    <>
      <p className={`verbatim compare-text${folds && !whole ? ' compare-folded' : ''}`}>
        {text === '' ? <span className="quiet">(empty)</span> : pieces(text, own, span)}
      </p>
      {folds ? (
        <Button variant="default" size="compact-xs" aria-expanded={whole} onClick={() => setWhole(!whole)}>
          {whole ? 'Fold' : `Show all of about ${lines} lines`}
        </Button>
      ) : null}
    </>
  );
}
