/** Text as the tokens that a model sees: control tokens as chips, parts of characters as their bytes, boundaries where asked for. */
import type { ReactNode } from 'react';
import type { TokenPiece } from '../../shared/prompt-view.ts';
import './token-text.css';

/** What stands for one token. A line break is shown as a sign before it breaks the line. */
export function PieceContent({ piece, marked = false }: { piece: TokenPiece; marked?: boolean }): ReactNode {
  if (piece.kind === 'control') return <span className="token-chip">{piece.text}</span>;
  if (piece.kind === 'bytes') {
    return (
      <span className="token-chip" title="These bytes are a part of a character">
        {piece.text}
      </span>
    );
  }
  return marked ? piece.text.replaceAll('\n', '↵\n') : piece.text;
}

/** Inert text. `boundaries`: every other token on a tint, with its id on hover. */
export function TokenText({ pieces, boundaries = false, label }: { pieces: readonly TokenPiece[]; boundaries?: boolean; label: string }) {
  return (
    // Scrolls sideways and down where it is long: the keys must reach it.
    <section className={`token-text${boundaries ? ' token-text-boundaries' : ''}`} aria-label={label}>
      {pieces.map((piece, place) => (
        <span key={place} className="token" title={boundaries ? `token ${place + 1}, id ${piece.id}` : undefined}>
          <PieceContent piece={piece} marked={boundaries} />
        </span>
      ))}
    </section>
  );
}
