/** The inspector: what a model is, and the runs that made it. */
import type { ReactNode } from 'react';
import { countText } from '../../../shared/figures/number-text.ts';
import type { ModelView } from '../../../shared/rpc/models.ts';
import { hrefOf } from '../../app/address.ts';
import { memoryText } from '../../app/byte-text.ts';
import { Term } from './help.tsx';

const KIND = { train: 'GRPO training', sft: 'supervised training', evaluate: 'evaluation' } as const;

function Fact({ name, help, children }: { name: string; help: string; children: ReactNode }) {
  return (
    <>
      <dt>
        <Term help={help}>{name}</Term>
      </dt>
      <dd>{children}</dd>
    </>
  );
}

export function ModelFacts({ model }: { model: ModelView }) {
  const stops = model.tokenizer.stop.map(({ token }) => token);
  return (
    <section className="models-section">
      <h2>Facts</h2>
      <dl className="models-facts">
        <Fact name="Architecture" help="The kind of network. This program computes Qwen2, Qwen3 and Llama decoders.">
          {model.architecture}
        </Fact>
        <Fact name="Parameters" help="Numbers in the weights. A tied output layer is counted once.">
          {countText(model.parameters)}
        </Fact>
        <Fact name="Layers" help="Transformer layers, and the width of the vector that passes through them.">
          {model.layers} of width {countText(model.hidden_size)}
        </Fact>
        <Fact name="Attention" help="Query heads, and the key-value heads that they share.">
          {model.attention_heads} query, {model.key_value_heads} key-value heads
        </Fact>
        <Fact name="Context" help="The longest sequence, prompt and answer together, in tokens.">
          {countText(model.context)} tokens
        </Fact>
        <Fact name="Numbers" help="Format of the weights in the file. Computed in float32.">
          {model.dtype.join(', ')}
        </Fact>
        <Fact name="Size" help="Bytes of the weight files.">
          {memoryText(model.bytes)}
        </Fact>
        <Fact name="Vocabulary" help="Rows of the embedding: the tokens that the model knows.">
          {countText(model.vocabulary)}
        </Fact>
        <Fact name="Output layer" help="Tied: the embedding serves as the output layer, too. Untied: it has weights of its own.">
          {model.tied_embeddings ? 'tied to the embedding' : 'untied, of its own'}
        </Fact>
        <Fact name="Tokenizer" help="Ids that the tokenizer gives, and the tokens at which an answer ends.">
          {countText(model.tokenizer.size)} ids; ends at{' '}
          {stops.length === 0
            ? 'nothing'
            : stops.map((token) => (
                <span key={token} className="token-chip">
                  {token}
                </span>
              ))}
        </Fact>
        <Fact
          name="Chat template"
          help="The program that puts control tokens round a question. Without one, messages stand one after another."
        >
          {model.tokenizer.chat_template ? 'yes, shown under Prompt' : 'none'}
        </Fact>
        <Fact name="Hash" help="SHA-256 over configuration, weights and tokenizer. Two models with one hash are the same.">
          <span className="mono" title={model.hash}>
            {model.hash.slice(0, 12)}
          </span>
        </Fact>
        <Fact name="Folder" help="Where it lies. The command line takes this.">
          <span className="mono verbatim">{model.folder}</span>
        </Fact>
      </dl>
    </section>
  );
}

/** The chain of runs, the first at the top, each with the data that it saw. */
export function ModelLineage({ model }: { model: ModelView }) {
  const { lineage, lineage_problem: problem } = model;
  const first = lineage.at(-1);
  return (
    <section className="models-section">
      <h2>
        <Term help="The runs that made this model, the first at the top. A result on data that one of them trained on or selected by carries a mark.">
          Where it comes from
        </Term>
      </h2>
      {problem === null ? null : <p className="state-failed verbatim small">✕ {problem}</p>}
      {first === undefined ? (
        <p className="quiet">{problem === null ? 'No run of this program made it.' : 'The chain cannot be told.'}</p>
      ) : (
        <ol className="models-lineage">
          <li>
            {first.from_id === null ? (
              <span className="verbatim">{first.from}</span>
            ) : (
              <a href={hrefOf(['models', first.from_id])}>{first.from}</a>
            )}
            <div className="quiet small">the model at the start</div>
          </li>
          {lineage.toReversed().map((step) => (
            <li key={step.run}>
              {step.here ? <a href={hrefOf(['runs', step.run])}>{step.name ?? step.run}</a> : <span>{step.name ?? step.run}</span>}
              <div className="quiet small">
                {KIND[step.kind]}, <span className="mono">{step.run}</span>
                {step.here ? '' : ' (not in this folder of runs)'}
              </div>
              <div className="small">trained on {step.trained_on ?? 'nothing that is named'}</div>
              <div className="small">{step.selected_on === null ? 'selected by no split' : `selected on ${step.selected_on}`}</div>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}
