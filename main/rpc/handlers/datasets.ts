/** Answers of the namespace "datasets". */
import type { datasetsRoutes, datasetsTopics } from '../../../shared/rpc/datasets.ts';
import { datasetEntries, saveSubset } from '../../workbench/datasets-catalogue.ts';
import { splitContamination } from '../../workbench/datasets-contamination.ts';
import { importFile, previewFile } from '../../workbench/datasets-import.ts';
import { DatasetTables, warmTables } from '../../workbench/datasets-store.ts';
import type { Handlers, Sources } from '../router.ts';
import type { Services } from '../services.ts';

export function datasetsHandlers({ files }: Services): Pick<Handlers, keyof typeof datasetsRoutes> {
  const tables = new DatasetTables();
  return {
    'datasets.list': async () => {
      const entries = await datasetEntries();
      // What is opened next should not wait for the database's program to be loaded.
      warmTables();
      return entries;
    },
    'datasets.profile': async ({ data, split }) => (await tables.table(data, split, true)).profile(),
    'datasets.rows': async ({ data, split, where, sort, offset, limit }) =>
      (await tables.table(data, split, offset === 0)).page({ where, sort }, offset, limit),
    'datasets.place': async ({ data, split, where, sort, id }) => ({
      index: await (await tables.table(data, split)).indexOf({ where, sort }, id),
    }),
    'datasets.question': async ({ data, split, id }) => (await tables.table(data, split)).question(id),
    'datasets.contamination': async ({ data, split, look }) => ({ found: await splitContamination(data, split, look) }),
    'datasets.subset': ({ data, split, name, where, sample }) => saveSubset({ data, split }, name, where, sample),
    'datasets.preview': ({ file }) => previewFile(files.path(file)),
  };
}

export const datasetsSources = ({ files }: Services): Pick<Sources, keyof typeof datasetsTopics> => ({
  'datasets.import': (request, signal) => importFile(files.path(request.file), request, signal),
});
