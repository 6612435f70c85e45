/** The figures' theme that goes with the window's. */
import { useComputedColorScheme } from '@mantine/core';
import { DARK, LIGHT, type Theme } from '../../shared/figures/theme.ts';

export const useFigureTheme = (): Theme => (useComputedColorScheme('light', { getInitialValueInEffect: false }) === 'dark' ? DARK : LIGHT);
