/** What a machine has, what it lacks, and what a setup would do there. */
import type { ReactNode } from 'react';
import type { Finding, MachineCheck, PlannedStep } from '../../../shared/machine-check.ts';
import { byteText } from '../../app/byte-text.ts';

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd className="verbatim">{children}</dd>
    </>
  );
}

const seconds = (value: number): string => `${Math.abs(value).toFixed(1)} s`;

/** A clock that is off harms nothing (no reader compares clocks), but log times look strange then. */
function clockText(offset: number, uncertainty: number): string {
  if (Math.abs(offset) <= uncertainty) return 'as this computer’s';
  return `${seconds(offset)} ${offset > 0 ? 'ahead of' : 'behind'} this computer (± ${seconds(uncertainty)})`;
}

export function MachineFactsTable({ check }: { check: MachineCheck }) {
  const { facts } = check;
  return (
    <dl className="card machines-facts">
      <Fact name="System">
        {facts.distribution ?? facts.system} · {facts.kernel} · {facts.arch}
      </Fact>
      <Fact name="Processors">{facts.cpus ?? 'not known'}</Fact>
      <Fact name="Memory">
        {facts.memory === null ? 'not known' : byteText(facts.memory)}
        {facts.memory_available === null ? '' : `, ${byteText(facts.memory_available)} free`}
      </Fact>
      <Fact name="GPUs">
        {facts.gpus.length === 0
          ? 'none seen'
          : facts.gpus.map(({ index, name, memory }) => (
              <div key={index}>
                {index}: {name}, {byteText(memory)}
              </div>
            ))}
      </Fact>
      {facts.gpus.length === 0 ? null : (
        <Fact name="Driver">
          {facts.driver ?? 'not known'}
          {facts.cuda === null ? '' : `, CUDA up to ${facts.cuda}`}
        </Fact>
      )}
      <Fact name="Disk">
        {facts.disk === null
          ? 'not known'
          : `${byteText(facts.disk.free)} free of ${byteText(facts.disk.total)} at ${facts.disk.path}${facts.disk.writable ? '' : ', not writable'}`}
      </Fact>
      <Fact name="Python">
        {facts.pythons.length === 0 ? 'none found' : facts.pythons.map(({ path, version }) => `${version} (${path})`).join(', ')}
      </Fact>
      <Fact name="Clock">{clockText(facts.clock_offset, facts.clock_uncertainty)}</Fact>
      <Fact name="Our folder there">{check.root}</Fact>
    </dl>
  );
}

export function Findings({ findings }: { findings: readonly Finding[] }) {
  if (findings.length === 0) return null;
  return (
    <ul className="machines-findings">
      {findings.map(({ level, what, fix }) => (
        <li key={what} className={level === 'blocking' ? 'state-failed' : 'state-unverifiable'}>
          <span aria-hidden="true">{level === 'blocking' ? '✕' : '!'}</span> {what}
          <div className="small verbatim machines-fix">{fix}</div>
        </li>
      ))}
    </ul>
  );
}

const SIGNS: Record<PlannedStep['state'] | 'running', string> = { done: '✓', todo: '○', stale: '↻', running: '◌' };

/** The steps of a setup. `running` is the one under way. */
export function SetupSteps({ steps, running }: { steps: readonly PlannedStep[]; running: string | null }) {
  return (
    <ol className="card machines-steps" aria-label="Steps of the setup">
      {steps.map(({ name, title, state, what }) => {
        const now = name === running ? 'running' : state;
        return (
          <li key={name} className={now === 'done' ? 'state-done' : now === 'running' ? 'state-live' : undefined}>
            <span aria-hidden="true">{SIGNS[now]}</span> {title}
            <span className="quiet small"> {now === 'done' ? 'in place' : what}</span>
          </li>
        );
      })}
    </ol>
  );
}
