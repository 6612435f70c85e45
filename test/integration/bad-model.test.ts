/** Models and adapters that cannot be used, as their user meets them: one message that says what to do, and nothing left behind. */
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readCheckpoint } from '../../main/policy/checkpoint.ts';
import { adapterShapes, freshAdapter, writeAdapter } from '../../main/policy/lora.ts';
import { type Tensor, writeSafetensors } from '../../main/policy/safetensors.ts';
import { medlogictrace } from '../fixtures/command-line.ts';
import { writeSmallModel } from '../fixtures/small-model.ts';

let folder: string;
const at = (...path: string[]) => join(folder, ...path);
const GATE = 'model.layers.0.mlp.gate_proj.weight';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bad-model-'));
  await writeSmallModel(at('model'));
  await writeFile(at('questions.jsonl'), JSON.stringify({ question: 'How much is 2 + 2?', answer: '2 + 2 = 4 #### 4' }));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

type Harm = (path: (name: string) => string) => Promise<void>;

/** A copy of the small model with something wrong about it. */
async function broken(name: string, harm: Harm): Promise<string> {
  await cp(at('model'), at(name), { recursive: true });
  await harm((file) => at(name, file));
  return at(name);
}

const json =
  (file: string, change: (content: Record<string, unknown>) => unknown): Harm =>
  async (path) =>
    writeFile(path(file), JSON.stringify(change(JSON.parse(await readFile(path(file), 'utf8')))));
const template =
  (text: string): Harm =>
  (path) =>
    writeFile(path('chat_template.jinja'), text);
const weights =
  (change: (tensors: Map<string, Tensor>) => unknown): Harm =>
  async (path) => {
    const { tensors } = await readCheckpoint(at('model'));
    change(tensors);
    await writeSafetensors(path('model.safetensors'), tensors);
  };
const dtype: Harm = async (path) => {
  const bytes = await readFile(path('model.safetensors'));
  bytes.write('I32', bytes.indexOf('F32', bytes.indexOf(GATE)));
  await writeFile(path('model.safetensors'), bytes);
};
const lostShard: Harm = async (path) => {
  const { tensors } = await readCheckpoint(at('model'));
  const map = Object.fromEntries([...tensors.keys()].map((name, i) => [name, `model-0000${1 + (i % 2)}-of-00002.safetensors`]));
  await writeFile(path('model.safetensors.index.json'), JSON.stringify({ metadata: {}, weight_map: map }));
  const first = new Map([...tensors].filter(([name]) => map[name]?.startsWith('model-00001')));
  await writeSafetensors(path('model-00001-of-00002.safetensors'), first);
  await rm(path('model.safetensors'));
};

/** Exit code 2, one line that names all of `said`, and an empty folder of runs. */
async function refused(args: string[], said: readonly RegExp[]): Promise<void> {
  const runs = await mkdtemp(at('runs-'));
  const { code, stdout, stderr } = await medlogictrace(args, { cwd: folder, env: { MEDLOGICTRACE_RUNS: runs } });
  expect({ code, stdout }, stderr).toEqual({ code: 2, stdout: '' });
  expect(stderr.trim().split('\n'), 'one message').toHaveLength(1);
  for (const part of said) expect(stderr).toMatch(part);
  expect(await readdir(runs), 'nothing half-written').toEqual([]);
}

const evaluate = (model: string, ...more: string[]) => ['evaluate', '--model', model, '--data', at('questions.jsonl'), ...more];

describe('a model that is refused', () => {
  const shape = (tensors: Map<string, Tensor>) => tensors.set(GATE, { shape: [16, 32], data: (tensors.get(GATE) as Tensor).data });
  const unknownWords = { type: 'Sequence', pretokenizers: [{ type: 'Digits', individual_digits: true }, { type: 'Sorcery' }] };

  test.each<[string, Harm, RegExp[]]>([
    [
      'another architecture',
      json('config.json', (config) => ({ ...config, architectures: ['MistralForCausalLM'], model_type: 'mistral' })),
      [/config\.json: architecture MistralForCausalLM/, /Supported: Qwen2ForCausalLM, Qwen3ForCausalLM, LlamaForCausalLM/],
    ],
    ['a missing shard', lostShard, [/model-00002-of-00002\.safetensors, one of 2 files .* is missing\. Fetch it again/]],
    [
      'a tensor of the wrong shape',
      weights(shape),
      [/gate_proj\.weight has shape \[16, 32\]; config\.json calls for \[32, 16\]\. Take config\.json and weights from one model/],
    ],
    ['a tensor of the wrong dtype', dtype, [/gate_proj\.weight has dtype I32; supported: F32, F16, BF16\. Choose weights in one of these/]],
    [
      'a pre-tokenizer that is not known',
      json('tokenizer.json', (tokenizer) => ({ ...tokenizer, pre_tokenizer: unknownWords })),
      [/tokenizer\.json: pre_tokenizer\.type "Sorcery" is not known \(known: .*ByteLevel.*\)\. Choose a model/],
    ],
  ])('for %s, by inspect and before a run is made', async (name, harm, said) => {
    const model = await broken(name.replaceAll(' ', '-'), harm);
    await refused(['models', 'inspect', model], said);
    await refused(evaluate(model), said);
  });

  test.each<[string, string, RegExp]>([
    ['raises', "{{ raise_exception('roles must alternate') }}", /roles must alternate/],
    ['loops', '{% for a in range(9000) %}{% for b in range(9000) %}x{% endfor %}{% endfor %}', /loops without end/],
  ])('for a chat template that %s, unless it is not asked for', async (name, source, said) => {
    const model = await broken(`template-${name}`, template(source));
    await refused(evaluate(model), [/the chat template failed/, said, /Mend it .*or ask without it: prompt\.template "raw"/]);
    const raw = await medlogictrace(evaluate(model, '--template', 'raw', '--max-tokens', '2', '--runs', at('raw')));
    expect(raw.code, raw.stderr).toBe(0);
  });
});

test('weights that are not finite: inspect refuses them, and a run ends with one message and no stack trace', async () => {
  const model = await broken(
    'nan',
    weights((tensors) => tensors.get(GATE)?.data.fill(Number.NaN, 7, 8)),
  );
  const said = /gate_proj\.weight holds NaN at element 7; weights must be finite numbers\. Fetch them again/;
  await refused(['models', 'inspect', model], [said]);
  const { code, stderr } = await medlogictrace(evaluate(model, '--runs', at('nan-runs')));
  expect(code).toBe(1);
  expect(stderr.match(new RegExp(said, 'g'))).toHaveLength(1);
  expect(stderr).not.toMatch(/^ +at /m);
});

test('a context that cuts answers is told, and the answers are marked as cut', async () => {
  await writeSmallModel(at('short'), { context: 80 });
  const { code, stdout, stderr } = await medlogictrace([...evaluate(at('short'), '--runs', at('short-runs')), '--json']);
  expect(code, stderr).toBe(0);
  expect(stderr).toMatch(
    /context is 80 tokens and the longest prompt has (\d+): its answer ends after \d+, not after max_completion_length 256/,
  );
  expect(JSON.parse(stdout)).toMatchObject({ truncated_rate: 1 });
});

// Catches: supervised training that ends at the first solution that is too long, hours after it began.
test('a solution longer than the context is refused before a run of supervised training is made', async () => {
  await writeSmallModel(at('narrow'), { context: 100 });
  const row = (question: string, words: number) => JSON.stringify({ question, answer: `${'four '.repeat(words)}#### 4` });
  await writeFile(at('train.jsonl'), [row('How much is 1 + 3?', 2), row('How much is 5 - 1?', 90)].join('\n'));
  const data = { train: at('train.jsonl'), validation: at('questions.jsonl') };
  const config = { kind: 'sft', model: at('narrow'), data, max_length: 1000, schema_version: 3 };
  await writeFile(at('sft.json'), JSON.stringify(config));
  await refused(['run', at('sft.json')], [/prompt and solution have \d+ tokens and the model's context is 100; leave the question out/]);
  await writeFile(at('sft.json'), JSON.stringify({ ...config, max_length: 90 }));
  await refused(['run', at('sft.json')], [/prompt and solution have \d+ tokens, more than max_length 90; raise max_length/]);
});

describe('an adapter that is refused', () => {
  const options = { r: 2, lora_alpha: 4, lora_dropout: 0, target_modules: 'q_proj,v_proj' };
  let shapes: Map<string, number[]>;
  beforeAll(async () => {
    const { tensors } = await readCheckpoint(at('model'));
    shapes = adapterShapes(new Map([...tensors].map(([name, { shape }]) => [name, shape])), options);
    await writeAdapter(at('adapter'), freshAdapter(shapes, 1), options, at('model'));
  });
  const merge = (adapter: string) => ['models', 'merge', at('model'), at(adapter), at('out', 'merged')];

  test('for another base, which it names', async () => {
    const wide = new Map(
      [...shapes].map(([name, [rows, width]]) => [name, [rows as number, name.includes('lora_A') ? 576 : (width as number)]]),
    );
    await writeAdapter(at('other'), freshAdapter(wide, 1), options, 'HuggingFaceTB/SmolLM2-135M');
    await mkdir(at('out'), { recursive: true });
    await refusedMerge('other', [/has shape \[2, 576\], here \[2, 16\]/, /its config names HuggingFaceTB\/SmolLM2-135M/]);
  });

  test('with numbers that are not finite (bug: a merge that is broken for good, and says that all is well)', async () => {
    const pairs = freshAdapter(shapes, 1);
    pairs.get('model.layers.0.self_attn.v_proj.lora_B.weight')?.data.fill(Number.NaN, 3, 4);
    await writeAdapter(at('nan-adapter'), pairs, options, at('model'));
    await mkdir(at('out'), { recursive: true });
    await refusedMerge('no-adapter', [/there is no such file\. An adapter's folder holds adapter_config\.json/]);
    await refusedMerge('nan-adapter', [/v_proj\.lora_B\.weight holds NaN at element 3/]);
  });

  test('where a model is asked for', () =>
    refused(evaluate(at('adapter')), [/is an adapter; add it to the model .*: medlogictrace models merge <model>/]));

  async function refusedMerge(adapter: string, said: readonly RegExp[]): Promise<void> {
    const { code, stdout, stderr } = await medlogictrace(merge(adapter));
    expect({ code, stdout }, stderr).toEqual({ code: 2, stdout: '' });
    for (const part of said) expect(stderr).toMatch(part);
    expect(await readdir(at('out'))).toEqual([]);
  }
});
