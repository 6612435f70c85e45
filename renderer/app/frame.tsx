/** The frame round every view: rail, title bar, status bar, and a banner while the services are out of reach. */
import { Anchor, Button, Group, Kbd, Text, Title, UnstyledButton } from '@mantine/core';
import { spotlight } from '@mantine/spotlight';
import { Search, Unplug } from 'lucide-react';
import { Suspense } from 'react';
import { verdictOfRun } from '../../shared/run-words.ts';
import { hrefOf, usePath } from './address.ts';
import './frame.css';
import { Guard } from './guard.tsx';
import { useKeptTheme } from './kept-theme.ts';
import { MODIFIER } from './keyboard.ts';
import { Palette } from './palette.tsx';
import { useFollowRuns, useRunList } from './run-list.ts';
import { ShortcutList, useWindowShortcuts } from './shortcuts.tsx';
import { Loading } from './states.tsx';
import { useConnected } from './use-connection.ts';
import { useMachineSigns } from './use-machine-signs.ts';
import { VIEWS, type View } from './views.ts';

function Rail({ current }: { current: View }) {
  return (
    <nav className="rail" aria-label="Views">
      {VIEWS.map(({ path, title, short, icon: Icon, digit }) => (
        <a
          key={path}
          className="rail-item"
          href={hrefOf([path])}
          aria-current={path === current.path ? 'page' : undefined}
          title={`${title} (${MODIFIER}${digit})`}
        >
          <Icon size={18} aria-hidden="true" />
          <span>{short}</span>
        </a>
      ))}
    </nav>
  );
}

function TitleBar({ view, rest }: { view: View; rest: readonly string[] }) {
  return (
    <header className="title-bar">
      <Title order={1} className="title-bar-title">
        {rest.length === 0 ? view.title : <Anchor href={hrefOf([view.path])}>{view.title}</Anchor>}
        {rest.map((part) => (
          <span key={part} className="title-bar-part">
            <span className="quiet" aria-hidden="true">
              ›
            </span>
            {part}
          </span>
        ))}
      </Title>
      <UnstyledButton className="palette-button" onClick={spotlight.open}>
        <Search size={14} aria-hidden="true" />
        <span>Search or run a command</span>
        <Kbd size="xs">{MODIFIER}K</Kbd>
      </UnstyledButton>
    </header>
  );
}

/** Always true, and every item opens its view. */
function StatusBar() {
  const { list, error } = useRunList();
  const connected = useConnected();
  const count = (verdict: string): number => list?.runs.filter((run) => verdictOfRun(run.state) === verdict).length ?? 0;
  const [live, lost] = [count('live'), count('unverifiable')];
  const { troubled, money } = useMachineSigns();
  return (
    <footer className="status-bar">
      <a href={hrefOf(['runs'])} className={live > 0 ? 'state-live' : undefined}>
        <span aria-hidden="true">●</span> {live} running
      </a>
      {lost > 0 ? (
        <a href={hrefOf(['runs'])} className="state-unverifiable">
          <span aria-hidden="true">?</span> {lost} not seen
        </a>
      ) : null}
      <a href={hrefOf(['settings'])}>{connected ? 'this machine' : 'not connected'}</a>
      {troubled.map(({ name, words }) => (
        <a key={name} href={hrefOf(['machines', name])} className="state-unverifiable">
          <span aria-hidden="true">?</span> {name}: {words}
        </a>
      ))}
      {money === null ? null : <a href={hrefOf(['machines'])}>{money}</a>}
      {error !== null && connected ? (
        <a href={hrefOf(['runs'])} className="state-failed">
          runs folder cannot be read
        </a>
      ) : null}
      <span className="status-bar-end quiet">Research software, not for clinical use</span>
    </footer>
  );
}

function LostBanner() {
  const connected = useConnected();
  const at = useRunList(({ at }) => at);
  if (connected) return null;
  return (
    <Group className="lost-banner" role="alert" gap="sm">
      <Unplug size={16} aria-hidden="true" />
      <Text size="sm">
        The workbench process cannot be reached. Runs go on without it; what is shown is from{' '}
        {at === null ? 'before' : new Date(at).toLocaleTimeString()}. Trying again by itself.
      </Text>
      <Button variant="default" size="compact-xs" onClick={() => location.reload()}>
        Load the page again
      </Button>
    </Group>
  );
}

export function Frame() {
  useFollowRuns();
  useKeptTheme();
  useWindowShortcuts(VIEWS);
  const [first = 'home', ...rest] = usePath();
  const view = VIEWS.find(({ path }) => path === first) ?? (VIEWS[0] as View);
  const Subject = view.component;
  return (
    <div className="frame">
      <button type="button" className="skip-link" onClick={() => document.getElementById('view')?.focus()}>
        Skip to the view
      </button>
      <Rail current={view} />
      <TitleBar view={view} rest={rest} />
      <main className="view" id="view" tabIndex={-1}>
        <LostBanner />
        <Guard address={[first, ...rest].join('/')}>
          <Suspense fallback={<Loading what={`Loading ${view.title}`} />}>
            <Subject />
          </Suspense>
        </Guard>
      </main>
      <StatusBar />
      <Palette />
      <ShortcutList />
    </div>
  );
}
