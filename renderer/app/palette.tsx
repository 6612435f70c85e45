/** The command palette: views, runs, and what the view on screen can do. */

import { useMantineColorScheme } from '@mantine/core';
import { Spotlight, type SpotlightActionData } from '@mantine/spotlight';
import { stateInWords } from '../../shared/run-words.ts';
import { open } from './address.ts';
import { useRunList } from './run-list.ts';
import { showShortcuts } from './shortcuts.tsx';
import { VIEWS } from './views.ts';

export function Palette() {
  const list = useRunList((state) => state.list);
  const { setColorScheme } = useMantineColorScheme();
  const actions: SpotlightActionData[] = [
    ...VIEWS.map(({ path, title }) => ({ id: `view/${path}`, label: title, description: 'open view', onClick: () => open([path]) })),
    { id: 'keys', label: 'Keys', description: 'list of shortcuts', onClick: showShortcuts },
    ...(['light', 'dark', 'auto'] as const).map((scheme) => ({
      id: `theme/${scheme}`,
      label: `Theme: ${scheme === 'auto' ? 'as the system' : scheme}`,
      onClick: () => setColorScheme(scheme),
    })),
    ...(list?.runs ?? []).map((run) => ({
      id: `run/${run.id}`,
      label: run.name ?? run.id,
      description: `${run.id}, ${stateInWords(run.state)}`,
      onClick: () => open(['runs', run.id]),
    })),
  ];
  return (
    <Spotlight
      actions={actions}
      shortcut="mod + K"
      limit={12}
      nothingFound="Nothing of that name"
      searchProps={{ placeholder: 'Views, runs, commands', 'aria-label': 'Search commands' }}
    />
  );
}
