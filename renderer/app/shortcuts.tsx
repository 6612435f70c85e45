/** Keys that work in every view, keys that a view adds, and the list of all on "?". */
import { Kbd, Modal, Table } from '@mantine/core';
import { useEffect, useRef } from 'react';
import { create } from 'zustand';
import { open } from './address.ts';
import { isMac, isTyping, MODIFIER } from './keyboard.ts';

export interface Shortcut {
  /** As `KeyboardEvent.key` gives it: `j`, `Enter`, `[`. */
  key: string;
  /** What it does, for the list. */
  does: string;
  run: () => void;
}

interface ShortcutState {
  listShown: boolean;
  /** Keys of the views on screen, the latest last. */
  groups: readonly { title: string; shortcuts: readonly Shortcut[] }[];
}
const useShortcutState = create<ShortcutState>(() => ({ listShown: false, groups: [] }));

export const showShortcuts = (): void => useShortcutState.setState({ listShown: true });

/** Adds a view's own keys while it stands. They are silent while a text field has the focus or a dialog is open. */
export function useShortcuts(title: string, shortcuts: readonly Shortcut[]): void {
  const latest = useRef(shortcuts);
  latest.current = shortcuts;
  const names = shortcuts.map(({ key, does }) => `${key}\t${does}`).join('\n');
  useEffect(() => {
    const group = {
      title,
      shortcuts: names.split('\n').map((line, place) => {
        const [key = '', does = ''] = line.split('\t');
        return { key, does, run: () => latest.current[place]?.run() };
      }),
    };
    useShortcutState.setState(({ groups }) => ({ groups: [...groups, group] }));
    return () => useShortcutState.setState(({ groups }) => ({ groups: groups.filter((one) => one !== group) }));
  }, [title, names]);
}

const dialogIsOpen = (): boolean => document.querySelector('[role="dialog"][aria-modal="true"]') !== null;

/** Listens for the whole window; mounted once, in the frame. `views`: given, since the views themselves import this file; the same list every time. */
export function useWindowShortcuts(views: readonly { digit: number; path: string }[]): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const command = isMac ? event.metaKey : event.ctrlKey;
      if (command && !event.altKey && !event.shiftKey) {
        const view = views.find(({ digit }) => String(digit) === event.key);
        if (view !== undefined) {
          event.preventDefault();
          open([view.path]);
        } else if (event.key === 'n') {
          event.preventDefault();
          open(['new']);
        }
        return;
      }
      if (event.altKey || event.metaKey || event.ctrlKey || isTyping(event.target) || dialogIsOpen()) return;
      if (event.key === '?') {
        showShortcuts();
        return;
      }
      for (const { shortcuts } of useShortcutState.getState().groups.toReversed()) {
        const found = shortcuts.find(({ key }) => key === event.key);
        if (found !== undefined) {
          event.preventDefault();
          found.run();
          return;
        }
      }
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, [views]);
}

/** Keys that work in every view. */
export const ALWAYS: readonly [string, string][] = [
  [`${MODIFIER}K`, 'command palette'],
  [`${MODIFIER}1 … 8`, 'views'],
  [`${MODIFIER}N`, 'new run'],
  ['?', 'this list'],
  ['Esc', 'close'],
];

export function ShortcutList() {
  const { listShown, groups } = useShortcutState();
  return (
    <Modal opened={listShown} onClose={() => useShortcutState.setState({ listShown: false })} title="Keys">
      <Table>
        <Table.Tbody>
          {[
            { title: 'Everywhere', rows: ALWAYS },
            ...groups.map((group) => ({ title: group.title, rows: group.shortcuts.map(({ key, does }) => [key, does] as const) })),
          ].map(({ title, rows }) =>
            rows.map(([key, does]) => (
              <Table.Tr key={`${title}/${key}`}>
                <Table.Td>
                  <Kbd>{key}</Kbd>
                </Table.Td>
                <Table.Td>{does}</Table.Td>
                <Table.Td className="quiet">{title}</Table.Td>
              </Table.Tr>
            )),
          )}
        </Table.Tbody>
      </Table>
    </Modal>
  );
}
