/** The list on the left: what a config can begin with, and the groups of the form. */

import { CONFIG_KINDS } from '../../../shared/config-form.ts';
import { KIND_WORDS, PRESET_WORDS } from '../../../shared/config-groups.ts';
import type { RunSummary } from '../../../shared/run-view.ts';
import type { StartPoints } from '../../../shared/start-points.ts';
import { hrefOf } from '../../app/address.ts';
import { FILE, type ImportedFile } from './start-point.ts';

/** Older ones are found in Runs. */
const MOST_RUNS = 30;

interface StartListProps {
  points: StartPoints;
  runs: readonly RunSummary[];
  file: ImportedFile | null;
  chosen: string;
}

function Item({ id, name, says, chosen }: { id: string; name: string; says: string; chosen: string }) {
  return (
    <li>
      <a className="configure-start" href={hrefOf(['new'], { from: id })} aria-current={id === chosen ? 'true' : undefined}>
        <span>{name}</span>
        <span className="small quiet">{says}</span>
      </a>
    </li>
  );
}

export function StartList({ points, runs, file, chosen }: StartListProps) {
  return (
    <nav className="pane-list configure-starts" aria-label="Begin with">
      <h2 className="small quiet">A preset</h2>
      <ul>
        {points.presets.map(({ name }) => (
          <Item key={name} id={name} name={name} says={PRESET_WORDS[name] ?? ''} chosen={chosen} />
        ))}
      </ul>
      {file === null ? null : (
        <>
          <h2 className="small quiet">A file</h2>
          <ul>
            <Item id={FILE} name={file.name} says="Imported in this tab." chosen={chosen} />
          </ul>
        </>
      )}
      <h2 className="small quiet">The defaults</h2>
      <ul>
        {CONFIG_KINDS.map((kind) => (
          <Item key={kind} id={kind} name={KIND_WORDS[kind].label} says={KIND_WORDS[kind].says} chosen={chosen} />
        ))}
      </ul>
      <h2 className="small quiet">An earlier run</h2>
      {runs.length === 0 ? <p className="small quiet configure-none">None yet. Each run that you start stands here.</p> : null}
      <ul>
        {runs.slice(0, MOST_RUNS).map(({ id, name, kind, created }) => (
          <Item
            key={id}
            id={id}
            name={name ?? id}
            says={`${KIND_WORDS[kind].label}, ${new Date(created).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' })}`}
            chosen={chosen}
          />
        ))}
      </ul>
      {runs.length > MOST_RUNS ? (
        <p className="small quiet configure-none">
          {(runs.length - MOST_RUNS).toLocaleString('en')} more in <a href={hrefOf(['runs'])}>Runs</a>; each has “Start a run like this” in
          its config.
        </p>
      ) : null}
    </nav>
  );
}
