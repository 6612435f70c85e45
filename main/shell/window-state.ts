/** Where the window stood last, kept between launches; brought back onto a screen that is there. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';

const whole = z.number().int();
export const WindowState = z.object({ x: whole, y: whole, width: whole.min(1), height: whole.min(1), maximized: z.boolean() });
export type WindowState = z.infer<typeof WindowState>;

export interface Area {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Smallest size that the window's panes are laid out for. */
export const SMALLEST = { width: 900, height: 560 } as const;
/** So much of the title bar must be within reach, in pixels. */
const GRIP = 80;

/** The state as it fits the work areas of the screens there are; null where it lies outside all of them. */
export function fitToScreens(state: WindowState, screens: readonly Area[]): WindowState | null {
  const on = screens.find(
    (area) =>
      state.x + state.width >= area.x + GRIP &&
      state.x <= area.x + area.width - GRIP &&
      state.y >= area.y &&
      state.y <= area.y + area.height - GRIP,
  );
  if (on === undefined) return null;
  const width = Math.min(Math.max(state.width, SMALLEST.width), on.width);
  const height = Math.min(Math.max(state.height, SMALLEST.height), on.height);
  return { ...state, width, height };
}

/** What was kept; null where nothing was, or what is there cannot be read: a window must always open. */
export function readWindowState(path: string): WindowState | null {
  try {
    return WindowState.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return null;
  }
}

/** Keeps it. Errors: the disk's. */
export function writeWindowState(path: string, state: WindowState): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.tmp`, JSON.stringify(state));
  renameSync(`${path}.tmp`, path);
}
