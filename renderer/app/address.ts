/**
 * The address in the window: `#/runs/<id>?tab=completions`. Every selection is in it, so back, forward, bookmarks and copied links work.
 * Parameters set through `useParameter` replace the entry; what the user would want to go back from is opened by a link or `open`.
 */
import { useCallback, useSyncExternalStore } from 'react';

const subscribe = (listener: () => void): (() => void) => {
  addEventListener('hashchange', listener);
  return () => removeEventListener('hashchange', listener);
};
const search = (): string => location.hash.split('?').slice(1).join('?');
const path = (): string => location.hash.replace(/^#/, '').split('?')[0] || '/home';

/** The parts of the path, decoded: `#/runs/a%20b` → ['runs', 'a b']. */
export function usePath(): string[] {
  const now = useSyncExternalStore(subscribe, path);
  return now.split('/').filter(Boolean).map(decodePart);
}

function decodePart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    // Typed by hand and not decodable: as it stands.
    return part;
  }
}

/** `#/runs/a%20b?tab=log` for links. */
export function hrefOf(parts: readonly string[], parameters: Readonly<Record<string, string | null | undefined>> = {}): string {
  const query = new URLSearchParams(Object.entries(parameters).flatMap(([name, value]) => (value ? [[name, value]] : [])));
  const text = query.toString();
  return `#/${parts.map(encodeURIComponent).join('/')}${text === '' ? '' : `?${text}`}`;
}

/** Opens a view: a new entry of the history. */
export const open = (parts: readonly string[], parameters: Readonly<Record<string, string | null | undefined>> = {}): void => {
  location.hash = hrefOf(parts, parameters);
};

/** One parameter of the address and how to change it; null takes it away. */
export function useParameter(name: string): [string | null, (value: string | null) => void] {
  const text = useSyncExternalStore(subscribe, search);
  const set = useCallback(
    (value: string | null) => {
      const query = new URLSearchParams(search());
      if (value === null || value === '') query.delete(name);
      else query.set(name, value);
      const rest = query.toString();
      history.replaceState(null, '', `#${path()}${rest === '' ? '' : `?${rest}`}`);
      dispatchEvent(new HashChangeEvent('hashchange'));
    },
    [name],
  );
  return [new URLSearchParams(text).get(name), set];
}
