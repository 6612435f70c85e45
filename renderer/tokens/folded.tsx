/** Long text folds at twelve lines and says so. */
import { Button } from '@mantine/core';
import { type ReactNode, useLayoutEffect, useRef, useState } from 'react';
import './token-text.css';

/** Twelve lines of 22 pixels. */
const FOLD_PX = 264;

export function Folded({ children, what }: { children: ReactNode; what: string }) {
  const box = useRef<HTMLDivElement>(null);
  const [long, setLong] = useState(false);
  const [open, setOpen] = useState(false);
  useLayoutEffect(() => setLong((box.current?.scrollHeight ?? 0) > FOLD_PX + 24), []);
  return (
    <div>
      <div ref={box} className={long && !open ? 'folded-text' : undefined}>
        {children}
      </div>
      {long ? (
        <Button variant="subtle" size="compact-xs" mt={4} onClick={() => setOpen(!open)} aria-expanded={open}>
          {open ? `Fold ${what}` : `Show all of ${what}`}
        </Button>
      ) : null}
    </div>
  );
}
