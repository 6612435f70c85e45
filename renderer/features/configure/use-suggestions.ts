/** What the texts of a config are likely to be: models at hand and splits at hand. */
import { useMemo } from 'react';
import { useQuery } from '../../rpc/use-query.ts';

/** Which splits come first for each field. */
const SPLIT_FIELDS: readonly (readonly [string, RegExp])[] = [
  ['data.train', /:train/],
  ['data.validation', /:(validation|dev)/],
  ['data.test', /:test/],
  ['few_shot.data', /:train/],
];

export function useSuggestions(): Readonly<Record<string, readonly string[]>> {
  const { data: models } = useQuery('models.list', {});
  const { data: sets } = useQuery('datasets.list', {});
  return useMemo(() => {
    const splits = (sets ?? []).flatMap(({ name, splits }) => splits.flatMap((one) => (one.available ? [`${name}:${one.split}`] : [])));
    return {
      // A model of the hub by its name: another machine fetches it by that.
      model: [...new Set(models?.models.map(({ origin, name, location }) => (origin === 'hub' ? name : location)) ?? [])],
      ...Object.fromEntries(
        SPLIT_FIELDS.map(([path, likely]) => [
          path,
          [...splits.filter((name) => likely.test(name)), ...splits.filter((name) => !likely.test(name))],
        ]),
      ),
    };
  }, [models, sets]);
}
