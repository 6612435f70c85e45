/** How a model is asked: its chat template on an example, and the template itself. */
import { Switch } from '@mantine/core';
import type { ModelView } from '../../../shared/rpc/models.ts';
import { useParameter } from '../../app/address.ts';
import { Folded } from '../../tokens/folded.tsx';
import { TokenText } from '../../tokens/token-text.tsx';
import { Term } from './help.tsx';

export function ModelPrompt({ model }: { model: ModelView }) {
  const [boundaries, setBoundaries] = useParameter('boundaries');
  const { example, template } = model;
  return (
    <div className="models-tab">
      <section className="models-section">
        <div className="models-section-head">
          <h2>
            <Term help="What the model is really given: the template's own tokens as chips, the question between them.">
              An example question
            </Term>
          </h2>
          <span className="quiet small">{example.count} tokens</span>
          <Switch
            label="Token boundaries"
            checked={boundaries === 'on'}
            onChange={(event) => setBoundaries(event.currentTarget.checked ? 'on' : null)}
          />
        </div>
        <div className="card models-text">
          <TokenText pieces={example.pieces} boundaries={boundaries === 'on'} label="Prompt of the example" />
        </div>
      </section>
      <section className="models-section">
        <h2>
          <Term help="A program in Jinja that turns messages into one text, with the model's control tokens between them.">
            Chat template
          </Term>
        </h2>
        {template === null ? (
          <p className="quiet">This model has no chat template: messages are put one after another.</p>
        ) : (
          <div className="card models-text">
            <Folded what="the template">
              <pre className="mono models-source">{template}</pre>
            </Folded>
          </div>
        )}
      </section>
    </div>
  );
}

export function ModelCard({ model }: { model: ModelView }) {
  const { card } = model;
  if (card === null) return <p className="quiet models-tab">There is no README beside this model.</p>;
  return (
    <div className="models-tab">
      <p className="quiet small">README.md as it stands; nothing in it is carried out or linked.</p>
      <div className="card models-text verbatim">{card.text}</div>
      {card.whole ? null : <p className="quiet small">The file is longer; only its beginning is shown.</p>}
    </div>
  );
}
