/** Which column is what. */
import { MultiSelect, Select, TextInput } from '@mantine/core';
import { AnswerKind } from '../../../shared/question.ts';
import type { ColumnMapping, ImportRequest } from '../../../shared/rpc/datasets.ts';
import type { ImportChoices } from './import-request.ts';

const KIND_WORDS: Record<AnswerKind, string> = {
  letter: 'letter of an option',
  word: 'one of a few words',
  number: 'number',
  expression: 'expression',
};
const GOLD_WORDS: Record<NonNullable<ImportRequest['gold_as']>, string> = {
  letter: 'by its letter (B)',
  text: 'by its text',
  index0: 'by its number, from 0',
  index1: 'by its number, from 1',
};

export interface MappingProps {
  columns: readonly string[];
  choices: ImportChoices;
  problems: { question?: string; options?: string; words?: string };
  change(part: Partial<ImportChoices>): void;
}

export function ImportMapping({ columns, choices, problems, change }: MappingProps) {
  const { mapping, kind } = choices;
  const map = (part: Partial<ColumnMapping>): void => change({ mapping: { ...mapping, ...part } });
  const column = (label: string, description: string, part: 'gold' | 'id' | 'solution' | 'unit') => (
    <Select
      label={label}
      description={description}
      placeholder="none"
      data={[...columns]}
      value={mapping[part]}
      clearable
      searchable
      onChange={(value) => map({ [part]: value })}
    />
  );
  const facts = Object.values(mapping.meta);
  return (
    <div className="datasets-fields">
      <Select
        label="Question"
        description="What is asked"
        required
        data={[...columns]}
        value={mapping.question === '' ? null : mapping.question}
        error={problems.question}
        searchable
        onChange={(value) => map({ question: value ?? '' })}
      />
      {column('Gold answer', 'What counts as right', 'gold')}
      <MultiSelect
        label="Options"
        description="One column with a list, or one column an option, in order"
        data={[...columns]}
        value={mapping.options}
        error={problems.options}
        searchable
        onChange={(options) => map({ options })}
      />
      <Select
        label="Answer kind"
        description="Left open: letter where there are options, else number"
        placeholder="by the columns"
        data={AnswerKind.options.map((value) => ({ value, label: KIND_WORDS[value] }))}
        value={kind}
        clearable
        onChange={(value) => change({ kind: value === null ? null : AnswerKind.parse(value) })}
      />
      {mapping.options.length > 0 ? (
        <Select
          label="Gold names its option"
          description="Left open: by letter or text, whichever fits"
          placeholder="letter or text"
          data={Object.entries(GOLD_WORDS).map(([value, label]) => ({ value, label }))}
          value={choices.goldAs}
          clearable
          onChange={(value) => change({ goldAs: value as ImportRequest['gold_as'] })}
        />
      ) : (
        <TextInput
          label="Words that may be answered"
          description="For answers of a few words, with commas: yes, no, maybe"
          value={choices.words}
          error={problems.words}
          onChange={(event) => change({ words: event.currentTarget.value })}
        />
      )}
      <MultiSelect
        label="Passages"
        description="Text to read before the question"
        data={[...columns]}
        value={mapping.contexts}
        searchable
        onChange={(contexts) => map({ contexts })}
      />
      {column('Id', 'Left open: split and row number', 'id')}
      {column('Worked solution', 'Never shown to the model at evaluation', 'solution')}
      {column('Unit', 'For numbers, such as mL/h', 'unit')}
      <MultiSelect
        label="Facts to filter by"
        description="Subject, topic, year: kept beside the question"
        data={[...columns]}
        value={facts}
        searchable
        onChange={(chosen) =>
          map({
            meta: Object.fromEntries(
              chosen.map((name) => [
                name
                  .toLowerCase()
                  .replace(/_name$/, '')
                  .replaceAll(/[^\w.-]+/g, '_'),
                name,
              ]),
            ),
          })
        }
      />
    </div>
  );
}
