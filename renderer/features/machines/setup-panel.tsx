/** Checks a machine, and sets it up with everything that it prints in sight. */
import { Alert, Button } from '@mantine/core';
import { useEffect, useRef } from 'react';
import { byteText } from '../../app/byte-text.ts';
import { Failed, Loading } from '../../app/states.tsx';
import { useQuery } from '../../rpc/use-query.ts';
import { Findings, MachineFactsTable, SetupSteps } from './machine-facts.tsx';
import { type Setup, useSetup } from './use-setup.ts';

function Output({ text }: { text: string }) {
  const box = useRef<HTMLPreElement>(null);
  useEffect(() => {
    const pre = box.current;
    if (pre !== null) pre.scrollTop = pre.scrollHeight;
  }, [text]);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keys
    <pre ref={box} className="card machines-output mono verbatim" role="log" tabIndex={0} aria-label="What the setup prints">
      {text}
    </pre>
  );
}

function Outcome({ setup }: { setup: Setup }) {
  const { phase, report, error, waiting, progress } = setup;
  if (waiting !== null && phase === 'running')
    return (
      <Alert color="amber" variant="light" title="Out of sight for the moment">
        {waiting}. The step goes on there and is taken up again.
      </Alert>
    );
  if (phase === 'failed')
    return (
      <Alert color="red" variant="light" title="The setup did not end well">
        <span className="verbatim">{error}</span>
        <p className="small">What was done stays done; set it up again and it goes on from there.</p>
      </Alert>
    );
  if (phase === 'stopped') return <p className="quiet">Stopped. What was done stays done; set it up again and it goes on from there.</p>;
  if (phase === 'done' && report !== null)
    return (
      <Alert color="green" variant="light" title="Ready for runs">
        Python {report.proof.python}, PyTorch {report.proof.torch}, Node {report.proof.node};{' '}
        {report.proof.cuda_devices === 0 ? 'no GPU that PyTorch sees' : `${report.proof.cuda_devices} GPUs that PyTorch sees`}.{' '}
        {report.done.length === 0 ? 'Everything was in place already.' : `${byteText(report.sent)} were sent.`}
      </Alert>
    );
  if (phase === 'running' && progress !== null)
    return (
      <p className="small" role="status">
        <progress max={progress.total} value={progress.done} aria-label="Bytes of this step" /> {byteText(progress.done)} of{' '}
        {byteText(progress.total)}
      </p>
    );
  return null;
}

export function SetupPanel({ machine }: { machine: string }) {
  const { data: check, stale, error, at, refresh } = useQuery('machines.check', { machine });
  const setup = useSetup(machine, refresh);
  const busy = setup.phase === 'running';
  if (check === null || stale) {
    if (error !== null) return <Failed what="The machine could not be looked at" error={error} retry={refresh} />;
    return <Loading what={`Asking ${machine} what it has`} />;
  }
  const blocked = check.findings.some(({ level }) => level === 'blocking');
  const missing = check.plan.filter(({ state }) => state !== 'done').length;
  return (
    <div className="machines-panel">
      {error === null || error.code === 'lost' ? null : (
        <Failed what="The machine could not be looked at again" error={error} at={at} retry={refresh} />
      )}
      <div className="machines-head">
        <h2>
          {check.ready ? (
            <span className="state-done">✓ Ready for runs</span>
          ) : blocked ? (
            'Not usable yet'
          ) : (
            `${missing} steps to set it up`
          )}
        </h2>
        <Button variant="default" onClick={refresh} disabled={busy}>
          Check again
        </Button>
        {busy ? (
          <Button variant="default" onClick={setup.stop}>
            Stop the setup
          </Button>
        ) : (
          <Button onClick={setup.start} disabled={blocked} variant={check.ready ? 'default' : 'filled'}>
            {check.ready ? 'Set up again' : 'Set up'}
          </Button>
        )}
      </div>
      <Findings findings={check.findings} />
      <SetupSteps steps={setup.steps.length > 0 ? setup.steps : check.plan} running={setup.running} />
      <Outcome setup={setup} />
      {setup.output === '' ? null : <Output text={setup.output} />}
      <MachineFactsTable check={check} />
    </div>
  );
}
