/** The theme. */
import { Radio, useMantineColorScheme } from '@mantine/core';
import { ThemeChoice } from '../../../shared/settings.ts';

export function Appearance() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <Radio.Group
      value={colorScheme}
      onChange={(value) => setColorScheme(ThemeChoice.parse(value))}
      label="Colours of the window and its figures"
    >
      <div className="settings-choices">
        <Radio value="auto" label="As the system" />
        <Radio value="light" label="Light" />
        <Radio value="dark" label="Dark" />
      </div>
    </Radio.Group>
  );
}
