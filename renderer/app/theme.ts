/** The kit's settings: one type scale, one spacing scale, one accent. Colours beside these stand in tokens.css. */
import { type CSSVariablesResolver, createTheme, type MantineColorsTuple } from '@mantine/core';

/** Okabe-Ito blue, lighter and darker. */
const accent: MantineColorsTuple = [
  '#e5f3fb',
  '#cbe5f5',
  '#96c9ea',
  '#5cb3ea',
  '#2f97d6',
  '#1283c6',
  '#0072b2',
  '#00629a',
  '#005383',
  '#00436b',
];
const green: MantineColorsTuple = [
  '#e3f7f0',
  '#c5eddf',
  '#8fdcc1',
  '#3ecf9c',
  '#1db583',
  '#009e73',
  '#00855f',
  '#00704f',
  '#005c41',
  '#004833',
];
const red: MantineColorsTuple = [
  '#fdece4',
  '#fad7c8',
  '#f5b394',
  '#f08a54',
  '#e3712f',
  '#d55e00',
  '#c24f00',
  '#b53d00',
  '#933200',
  '#712600',
];
const amber: MantineColorsTuple = [
  '#fcf3df',
  '#f8e6be',
  '#f0cf85',
  '#e5b34d',
  '#d49a22',
  '#b98100',
  '#a06d00',
  '#8a5a00',
  '#704900',
  '#573900',
];

export const theme = createTheme({
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace',
  fontSizes: { xs: '12px', sm: '13px', md: '13px', lg: '16px', xl: '28px' },
  lineHeights: { xs: '16px', sm: '20px', md: '20px', lg: '24px', xl: '36px' },
  spacing: { xs: '4px', sm: '8px', md: '12px', lg: '16px', xl: '24px' },
  radius: { xs: '4px', sm: '6px', md: '6px', lg: '6px', xl: '6px' },
  defaultRadius: 'md',
  headings: {
    fontWeight: '600',
    sizes: {
      h1: { fontSize: '16px', lineHeight: '24px' },
      h2: { fontSize: '16px', lineHeight: '24px' },
      h3: { fontSize: '13px', lineHeight: '20px' },
    },
  },
  colors: { accent, green, red, amber },
  primaryColor: 'accent',
  primaryShade: { light: 6, dark: 3 },
  autoContrast: true,
  focusRing: 'auto',
  respectReducedMotion: true,
  components: {
    Button: { defaultProps: { size: 'xs' } },
    ActionIcon: { defaultProps: { variant: 'subtle', color: 'gray', size: 'md' } },
    TextInput: { defaultProps: { size: 'xs' } },
    NumberInput: { defaultProps: { size: 'xs' } },
    Select: { defaultProps: { size: 'xs' } },
    MultiSelect: { defaultProps: { size: 'xs' } },
    Textarea: { defaultProps: { size: 'xs' } },
    Switch: { defaultProps: { size: 'xs' } },
    SegmentedControl: { defaultProps: { size: 'xs' } },
    Tooltip: { defaultProps: { withArrow: true, openDelay: 300, multiline: true, maw: 320 } },
    Tabs: { defaultProps: { keepMounted: false } },
    Badge: { defaultProps: { size: 'sm', variant: 'light', radius: 'sm' } },
    Modal: { defaultProps: { centered: true } },
  },
});

/** The kit's surfaces take our tokens, so that both themes are designed in one place. */
export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-body': 'var(--card)',
    '--mantine-color-text': 'var(--text)',
    '--mantine-color-dimmed': 'var(--quiet)',
    '--mantine-color-default-border': 'var(--line)',
  },
  dark: {
    '--mantine-color-body': 'var(--card)',
    '--mantine-color-text': 'var(--text)',
    '--mantine-color-dimmed': 'var(--quiet)',
    '--mantine-color-default-border': 'var(--line)',
  },
});
