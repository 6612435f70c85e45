/** Where things lie on a machine, below its one folder. */

export interface MachineLayout {
  root: string;
  /** Python with PyTorch and the engine's packages. */
  python: string;
  /** Node that runs the runner. */
  node: string;
  /** The runner as scripts/assemble-runner.ts lays it out: a link to the version in force. */
  runner: string;
  /** Versions of the runner, by their hash; runs that began under one keep it. */
  runners: string;
  /** Run folders. */
  runs: string;
  /** Models of the hub, in the layout of huggingface_hub. */
  models: string;
  venv: string;
  cache: string;
  /** Stamps, logs and exit codes of the setup's steps. */
  setup: string;
}

/** `root` is absolute. */
export function machineLayout(root: string): MachineLayout {
  return {
    root,
    python: `${root}/bin/python`,
    node: `${root}/bin/node`,
    runner: `${root}/runner`,
    runners: `${root}/runners`,
    runs: `${root}/runs`,
    models: `${root}/models`,
    venv: `${root}/venv`,
    cache: `${root}/cache`,
    setup: `${root}/setup`,
  };
}
