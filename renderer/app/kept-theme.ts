/**
 * The theme, kept by the services: what a page keeps itself is lost in the browser shell, whose port, and with it whose storage, is another at
 * every start. The page's own copy still avoids a flash of the wrong theme where it is there.
 */
import { useMantineColorScheme } from '@mantine/core';
import { useEffect, useRef } from 'react';
import { call } from '../rpc/client.ts';

/** Mounted once, in the frame. Without the services the page's own copy stands. */
export function useKeptTheme(): void {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const kept = useRef<typeof colorScheme | null>(null);
  const set = useRef(setColorScheme);
  set.current = setColorScheme;
  useEffect(() => {
    void call('settings.preferences', {}).then(
      ({ theme }) => {
        kept.current = theme;
        set.current(theme);
      },
      () => undefined,
    );
  }, []);
  useEffect(() => {
    if (kept.current === null || kept.current === colorScheme) return;
    kept.current = colorScheme;
    // Where it cannot be written the theme holds for this page.
    void call('settings.set_theme', { theme: colorScheme }).catch(() => undefined);
  }, [colorScheme]);
}
