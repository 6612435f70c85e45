/** The command line as another program sees it: exit codes, one document on standard output, one message, nothing half-written. */
import { spawn } from 'node:child_process';
import { cp, mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AnswersGrading } from '../../shared/answers-grading.ts';
import { BackendList } from '../../shared/backend-status.ts';
import { Comparison, Evaluation, EvaluationItem } from '../../shared/evaluation.ts';
import { ModelInspection } from '../../shared/model-inspection.ts';
import { RunList } from '../../shared/run-view.ts';
import { medlogictrace } from '../fixtures/command-line.ts';
import { writeSmallModel } from '../fixtures/small-model.ts';

const root = join(import.meta.dirname, '..', '..');
let folder: string;
const at = (...path: string[]) => join(folder, ...path);

const medmcqa = (id: string, cop: number) =>
  JSON.stringify({
    id,
    question: `Vitamin of ${id}?`,
    opa: 'A1',
    opb: 'B2',
    opc: 'C3',
    opd: 'D4',
    cop,
    choice_type: 'single',
    exp: '',
    subject_name: 'x',
    topic_name: 'y',
  });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cli-'));
  await writeSmallModel(at('model'));
  await writeFile(at('questions.jsonl'), ['q1', 'q2', 'q3', 'q4'].map((id, i) => medmcqa(id, i + 1)).join('\n'));
  await writeFile(at('label-out-of-range.jsonl'), [medmcqa('q1', 1), medmcqa('q2', 7)].join('\n'));
  await writeFile(at('empty.jsonl'), '');
  await writeFile(at('answers.jsonl'), '{"id":"q1","text":"Answer: A"}\n{"id":"q2","text":"I cannot say."}\n');
  await writeFile(at('double.jsonl'), '{"id":"q1","text":"A"}\n{"id":"q1","text":"B"}\n');
  await writeFile(at('stranger.jsonl'), '{"id":"q9","text":"A"}\n');
  await writeFile(at('torn.jsonl'), '{"id":"q1","te');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A copy of the small model with something wrong about it. */
async function brokenModel(name: string, harm: (path: string) => Promise<void>): Promise<string> {
  await cp(at('model'), at(name), { recursive: true });
  await harm(join(at(name), 'model.safetensors'));
  return at(name);
}

/** Refused input: exit code 2, one line on standard error that names what is wrong, nothing on standard output, nothing written. */
async function refused(args: string[], ...said: (string | RegExp)[]): Promise<void> {
  // Its own and empty: whatever a refused command leaves behind shows here.
  const runs = await mkdtemp(at('refused-'));
  const { code, stdout, stderr } = await medlogictrace(args, { cwd: folder, env: { MEDLOGICTRACE_RUNS: runs } });
  expect({ code, stdout }, stderr).toEqual({ code: 2, stdout: '' });
  expect(stderr.trim().split('\n'), 'one message').toHaveLength(1);
  for (const part of said) expect(stderr).toMatch(part);
  expect(await readdir(runs), 'nothing half-written').toEqual([]);
}

describe('wrong words', () => {
  test('an unknown command suggests the nearest', () => refused(['evalute'], 'unknown command "evalute"', 'did you mean "evaluate"'));
  test('an unknown flag suggests the nearest', () =>
    refused(
      ['evaluate', '--data', 'arithmetic', '--baseline', 'constant:A', '--limt', '5'],
      "unknown option '--limt'",
      'Did you mean --limit',
    ));
  test('an unknown sub-command suggests the nearest', () => refused(['models', 'inspekt', 'tiny'], 'inspekt', 'Did you mean inspect'));
  test('an argument too many is not passed over', () => refused(['backends', 'wasm'], 'too many arguments'));
  test('a missing option is named', () => refused(['evaluate', '--baseline', 'constant:A'], '--data'));
  test.each(['-1', '0', '2.5', 'many'])('--limit %s', (limit) =>
    refused(
      ['evaluate', '--baseline', 'constant:A', '--data', 'arithmetic', '--limit', limit],
      '--limit',
      limit,
      'whole number of at least 1',
    ),
  );
  test.each(['-1', '4294967296', 'x'])('--seed %s', (seed) => refused(['demo', '--seed', seed], '--seed', seed, '0 to 4294967295'));
});

describe('wrong names', () => {
  test('model', () => refused(['evaluate', '--model', 'tinny', '--data', at('questions.jsonl')], 'tinny', 'did you mean "tiny"'));
  test('a folder that is no model', () => refused(['evaluate', '--model', folder, '--data', at('questions.jsonl')], 'config.json'));
  test('data set', () => refused(['evaluate', '--baseline', 'constant:A', '--data', 'medmqca'], 'medmqca', 'did you mean "medmcqa"'));
  test('split of a data set', () =>
    refused(['evaluate', '--baseline', 'constant:A', '--data', 'arithmetic:tset'], 'tset', 'did you mean "test"'));
  test('split of a file', () => refused(['evaluate', '--baseline', 'constant:A', '--data', `${at('questions.jsonl')}:trian`], 'trian'));
  test('data file', () => refused(['evaluate', '--baseline', 'constant:A', '--data', './nothing.jsonl'], 'nothing.jsonl'));
  test('baseline', () => refused(['evaluate', '--baseline', 'always:A', '--data', at('questions.jsonl')], 'always:A', 'constant:'));
  test('model and baseline at once', () =>
    refused(['evaluate', '--model', 'tiny', '--baseline', 'constant:A', '--data', 'arithmetic'], '--model', '--baseline'));
  test('a mode that these questions have no options for', () =>
    refused(['evaluate', '--model', at('model'), '--data', 'arithmetic', '--mode', 'likelihood'], 'arithmetic', '--mode generation'));
  test('examples from what is measured', () =>
    refused(
      ['evaluate', '--model', at('model'), '--data', 'arithmetic', '--few-shot', '2', '--few-shot-data', 'arithmetic:test'],
      'arithmetic:test',
      'train',
    ));
  test('one of several data sets, before any is evaluated', () =>
    refused(['evaluate', '--model', at('model'), '--data', at('questions.jsonl'), '--data', 'medmqca'], 'medmqca'));
  test('a mode that never was', () =>
    refused(['evaluate', '--model', at('model'), '--data', at('questions.jsonl'), '--mode', 'guessing'], 'mode', 'guessing'));
  test('run', () => refused(['runs', 'show', 'nothing'], 'nothing'));
  test('evaluation', () => refused(['compare', 'nothing', 'neither'], 'nothing'));
  test('benchmark', () => refused(['bench', 'polcy'], 'polcy', 'did you mean "policy"'));
});

describe('wrong files', () => {
  test('an empty data file', () => refused(['evaluate', '--baseline', 'constant:A', '--data', at('empty.jsonl')], 'empty.jsonl'));
  test('a label out of range', () =>
    refused(['evaluate', '--baseline', 'constant:A', '--data', at('label-out-of-range.jsonl')], 'label-out-of-range.jsonl', '7'));
  test('an empty answers file', () => refused(['grade', '--data', at('questions.jsonl'), '--answers', at('empty.jsonl')], 'empty.jsonl'));
  test('an answer to no question', () => refused(['grade', '--data', at('questions.jsonl'), '--answers', at('stranger.jsonl')], 'q9'));
  test('two answers to one question', () =>
    refused(['grade', '--data', at('questions.jsonl'), '--answers', at('double.jsonl')], 'q1', 'line 2'));
  test('a torn answers file', () => refused(['grade', '--data', at('questions.jsonl'), '--answers', at('torn.jsonl')], 'line 1'));

  test('a truncated weights file', async () => {
    const model = await brokenModel('truncated', async (path) => {
      const bytes = await readFile(path);
      await writeFile(path, bytes.subarray(0, bytes.length - 100));
    });
    await refused(['models', 'inspect', model], 'model.safetensors', /bytes?/);
    await refused(['evaluate', '--model', model, '--data', at('questions.jsonl')], 'model.safetensors');
  });

  test('a header that claims more than the file holds (believing it would ask for terabytes of memory)', async () => {
    const model = await brokenModel('lying', async (path) => {
      const file = await open(path, 'r+');
      const length = Buffer.alloc(8);
      length.writeBigUInt64LE(2n ** 45n);
      await file.write(length, 0, 8, 0);
      await file.close();
    });
    await refused(['models', 'inspect', model], 'model.safetensors', 'header');
    await refused(['evaluate', '--model', model, '--data', at('questions.jsonl')], 'model.safetensors', 'header');
  });

  test('a tokenizer with more ids than the embedding has rows', async () => {
    await writeSmallModel(at('small-embedding'), { vocabulary: 64 });
    await refused(['models', 'inspect', at('small-embedding')], 'tokenizer', '64');
    await refused(['evaluate', '--model', at('small-embedding'), '--data', at('questions.jsonl')], 'tokenizer', '64');
  });
});

describe('wrong configs', () => {
  const config = (name: string, text: string | object) =>
    writeFile(at(name), typeof text === 'string' ? text : JSON.stringify(text)).then(() => at(name));

  test('an unknown key, with the key that was meant', async () =>
    refused(['run', await config('key.json', { kind: 'train', data: {}, learning_rat: 1e-4 })], 'learning_rat', 'learning_rate'));
  test('a value out of range', async () =>
    refused(['run', await config('range.json', { kind: 'train', data: {}, num_generations: 1 })], 'num_generations', '1'));
  test('an unknown kind', async () => refused(['run', await config('kind.json', { kind: 'trane' })], 'kind'));
  test('an unknown reward function', async () =>
    refused(['run', await config('reward.json', { kind: 'train', data: {}, rewards: [{ name: 'corect' }] })], 'corect', 'correct'));
  test('an empty file', async () => refused(['run', await config('empty.json', '')], 'empty.json', 'empty'));
  test('no JSON', async () => refused(['run', await config('broken.json', '{"kind": ')], 'broken.json', 'JSON'));
  test('no file', () => refused(['run', 'nothing.json'], 'nothing.json'));
  test('an override without a value', async () =>
    refused(['run', await config('good.json', { kind: 'train', data: {} }), '--set', 'learning_rate'], '--set', 'learning_rate'));
  test('an override of nothing', async () =>
    refused(['run', await config('good2.json', { kind: 'train', data: {} }), '--set', 'learning_rat=1'], 'learning_rat'));
});

describe('--json', () => {
  const json = async (args: string[]): Promise<unknown> => {
    const { code, stdout, stderr } = await medlogictrace([...args, '--json'], {
      cwd: folder,
      env: { MEDLOGICTRACE_RUNS: at('good-runs'), MEDLOGICTRACE_HOME: at('home') },
    });
    expect(code, stderr).toBe(0);
    return JSON.parse(stdout);
  };

  test('backends', async () => {
    const list = BackendList.parse(await json(['backends']));
    expect(list.map(({ name }) => name)).toEqual(['wasm', 'tensorflow', 'webgpu', 'torch']);
    expect(list[0]).toMatchObject({ available: true, version: 'tfjs 4.22.0', memory: 2 ** 32 });
    // Whichever is not there says how to get it; this home folder is empty.
    expect(list[1]).toMatchObject({ available: false, reason: expect.stringContaining('medlogictrace backends install tensorflow') });
  });

  test('models inspect counts what is in the files', async () => {
    const found = ModelInspection.parse(await json(['models', 'inspect', at('model')]));
    const { hidden_size: d, vocabulary } = found;
    // Embedding, two norms and the last one, q k v with biases and o, gate up down; 1 layer, 2 heads of 8 on 1 key-value head.
    const layer = 2 * d + (d * d + d) + 2 * (8 * d + 8) + d * d + 3 * 32 * d;
    expect(found.parameters).toBe(vocabulary * d + layer + d);
    expect(found).toMatchObject({
      architecture: 'Qwen2ForCausalLM',
      context: 256,
      dtype: ['F32'],
      tokenizer: { size: vocabulary, chat_template: true },
    });
  });

  test('evaluate scores a constant responder and writes a line a question', async () => {
    const found = Evaluation.parse(await json(['evaluate', '--baseline', 'constant:A', '--data', at('questions.jsonl')]));
    expect(found).toMatchObject({ model: 'constant:A', n: 4, accuracy: 0.25, invalid_rate: 0, budgets: null });
    const items = (await readFile(found.items, 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => EvaluationItem.parse(JSON.parse(line)));
    expect(items.map((item) => [item.id, item.correct])).toEqual([
      ['q1', true],
      ['q2', false],
      ['q3', false],
      ['q4', false],
    ]);
  });

  test('evaluate runs a model, with progress elsewhere, and compare reads what it left', async () => {
    const evaluate = ['evaluate', '--model', at('model'), '--data', at('questions.jsonl'), '--max-tokens', '8'];
    const before = Evaluation.parse(await json(evaluate));
    expect(before.n).toBe(4);
    expect(before.tokens.total).toBeGreaterThan(0);
    const after = Evaluation.parse(await json(evaluate));
    await writeFile(at('before.json'), JSON.stringify(before));
    await writeFile(at('after.json'), JSON.stringify(after));
    const compared = Comparison.parse(await json(['compare', at('before.json'), at('after.json')]));
    expect(compared).toMatchObject({ accuracy_difference: { value: 0 }, token_ratio: { value: 1 }, flips: { gained: 0, lost: 0 } });
    const list = RunList.parse(await json(['runs', 'list']));
    expect(list.runs.filter((run) => run.state.state === 'exited')).toHaveLength(2);
  });

  test('compare refuses evaluations of different questions, and names the difference', async () => {
    const files = await Promise.all(
      [at('questions.jsonl'), 'arithmetic'].map(async (data, i) => {
        const found = Evaluation.parse(await json(['evaluate', '--baseline', 'constant:A', '--data', data, '--limit', '4']));
        await writeFile(at(`different-${i}.json`), JSON.stringify(found));
        return at(`different-${i}.json`);
      }),
    );
    const { code, stdout, stderr } = await medlogictrace(['compare', ...files], { cwd: folder });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/questions.*--allow/s);
  });

  test('grade counts what was given and what is missing', async () => {
    const found = AnswersGrading.parse(await json(['grade', '--data', at('questions.jsonl'), '--answers', at('answers.jsonl')]));
    expect(found).toMatchObject({ n: 2, missing: 2, accuracy: 0.5, invalid_rate: 0.5 });
  });

  test('an error is a document too, and the message still stands on standard error', async () => {
    const { code, stdout, stderr } = await medlogictrace(['models', 'inspect', 'nope', '--json']);
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'input', message: expect.stringContaining('nope'), field: 'model' } });
    expect(stderr).toMatch('nope');
  });
});

test('a prompt longer than the context names both lengths and is no success', async () => {
  await writeSmallModel(at('short'), { context: 16 });
  const { code, stdout, stderr } = await medlogictrace([
    'evaluate',
    '--model',
    at('short'),
    '--data',
    at('questions.jsonl'),
    '--runs',
    at('long'),
  ]);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(/its prompt has \d+ tokens and the model's context is 16; leave the question out, or use a model with a longer/);
});

test('help goes to standard output with exit code 0; no command at all is a mistake', async () => {
  const help = await medlogictrace(['--help']);
  expect(help.code).toBe(0);
  expect(help.stdout).toMatch('not for clinical use');
  for (const name of ['demo', 'run', 'evaluate', 'grade', 'compare', 'runs', 'datasets', 'models', 'backends', 'bench']) {
    expect(help.stdout).toMatch(new RegExp(`^ {2}${name}\\b`, 'm'));
  }
  expect((await medlogictrace([])).code).toBe(2);
});

describe('the entry point for any Node', () => {
  const entry = (args: string[], whenStarted?: (pid: number) => void) => {
    const { promise, resolve } = Promise.withResolvers<{ code: number | null; stdout: string; stderr: string }>();
    const child = spawn(process.execPath, [join(root, 'bin', 'medlogictrace.js'), ...args], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const said = { stdout: '', stderr: '' };
    child.stdout.on('data', (chunk) => {
      said.stdout += chunk;
    });
    child.stderr.on('data', (chunk) => {
      said.stderr += chunk;
      if (child.pid !== undefined) whenStarted?.(child.pid);
    });
    child.on('close', (code) => resolve({ code, ...said }));
    return promise;
  };

  test('hands over the command’s output and exit code', async () => {
    expect(await entry(['models', 'inspect', 'nope'])).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('nope') });
  });

  test('passes Ctrl-C on: the work stops cleanly, its children end, and the exit code says so (else training goes on unseen)', async () => {
    let sent = false;
    const result = await entry(['bench', 'policy'], (pid) => {
      if (sent) return;
      sent = true;
      process.kill(pid, 'SIGINT');
    });
    expect(result.stderr).toMatch('Stopping cleanly');
    expect(result.code).toBe(130);
    expect(result.stdout).toBe('');
  });
});
