/** What every part of a run's view is given. */
export interface LiveTabProps {
  run: string;
  kind: 'train' | 'sft' | 'evaluate';
  live: boolean;
}
