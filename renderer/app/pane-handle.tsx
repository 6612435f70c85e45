/** The edge between two panes: drawn with the pointer or moved by arrow keys, and remembered. */
import { type PointerEvent, useEffect, useRef } from 'react';
import './pane-handle.css';

const STEP = 16;

interface Props {
  /** Which side the pane of changing width is on. */
  pane: 'before' | 'after';
  /** Name under which the width is kept. */
  name: string;
  label: string;
  least?: number;
  most?: number;
}

/** Stands between the panes as their sibling; sets the width of the one before or after it. */
export function PaneHandle({ pane, name, label, least = 200, most = 720 }: Props) {
  const handle = useRef<HTMLHRElement>(null);
  const key = `pane/${name}`;
  const sibling = (): HTMLElement | null => {
    const found = pane === 'before' ? handle.current?.previousElementSibling : handle.current?.nextElementSibling;
    return found instanceof HTMLElement ? found : null;
  };
  const setWidth = (wanted: number, keep: boolean): void => {
    const width = Math.round(Math.min(most, Math.max(least, wanted)));
    const box = sibling();
    if (box === null) return;
    box.style.width = `${width}px`;
    handle.current?.setAttribute('aria-valuenow', String(width));
    if (keep) localStorage.setItem(key, String(width));
  };

  useEffect(() => {
    const kept = Number(localStorage.getItem(key));
    if (kept > 0) setWidth(kept, false);
    else handle.current?.setAttribute('aria-valuenow', String(Math.round(sibling()?.getBoundingClientRect().width ?? least)));
  }, [key]);

  const onPointerDown = (event: PointerEvent<HTMLHRElement>): void => {
    const box = sibling();
    if (box === null) return;
    const [from, width] = [event.clientX, box.getBoundingClientRect().width];
    const widthAt = (x: number): number => width + (pane === 'before' ? x - from : from - x);
    const target = event.currentTarget;
    target.setPointerCapture(event.pointerId);
    target.onpointermove = ({ clientX }) => setWidth(widthAt(clientX), false);
    target.onpointerup = ({ clientX }) => {
      target.onpointermove = null;
      target.onpointerup = null;
      setWidth(widthAt(clientX), true);
    };
  };

  return (
    <hr
      ref={handle}
      className="pane-handle"
      aria-orientation="vertical"
      aria-label={label}
      aria-valuemin={least}
      aria-valuemax={most}
      aria-valuenow={least}
      tabIndex={0}
      onPointerDown={onPointerDown}
      onKeyDown={(event) => {
        const direction = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
        if (direction === 0) return;
        event.preventDefault();
        setWidth((sibling()?.getBoundingClientRect().width ?? least) + direction * STEP * (pane === 'before' ? 1 : -1), true);
      }}
    />
  );
}
