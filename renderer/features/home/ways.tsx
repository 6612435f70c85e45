/** Three ways to go on. */
import { ArrowRight, Database, GitCompareArrows, type LucideIcon, SlidersHorizontal } from 'lucide-react';
import { hrefOf } from '../../app/address.ts';

const WAYS: readonly { title: string; text: string; view: string; icon: LucideIcon }[] = [
  {
    title: 'Open a data set',
    text: 'Read the questions, as they are and as a model sees them; bring in your own.',
    view: 'datasets',
    icon: Database,
  },
  {
    title: 'Start a run',
    text: 'Train or evaluate a model. The one that comes with the program trains here in minutes.',
    view: 'new',
    icon: SlidersHorizontal,
  },
  {
    title: 'Compare evaluations',
    text: 'See what changed: accuracy, tokens, and every answer side by side.',
    view: 'compare',
    icon: GitCompareArrows,
  },
];

export function Ways() {
  return (
    <nav className="home-ways" aria-label="Ways to go on">
      {WAYS.map(({ title, text, view, icon: Icon }) => (
        <a key={view} className="card home-way" href={hrefOf([view])}>
          <Icon size={20} aria-hidden="true" />
          <span className="home-way-title">
            {title} <ArrowRight size={14} aria-hidden="true" />
          </span>
          <span className="quiet">{text}</span>
        </a>
      ))}
    </nav>
  );
}
