/** Links to the groups of the form, with the number of mistakes in each. */
import { UnstyledButton } from '@mantine/core';
import type { Draft } from '../../../shared/config-draft.ts';
import { GROUPS, type GroupId } from '../../../shared/config-groups.ts';
import { groupId, groupsOf } from './form.tsx';
import type { Placed } from './mistakes.ts';

const SHORT: Partial<Record<GroupId, string>> = { adapter: 'LoRA', evaluation: 'Evaluation' };

export function GroupLinks({ draft, placed }: { draft: Draft; placed: Placed }) {
  return (
    <nav className="configure-links" aria-label="Groups of settings">
      {groupsOf(draft).map(({ group, fields }) => {
        const wrong = fields.reduce((sum, { field }) => sum + (placed.at.get(field.path)?.length ?? 0), 0);
        return (
          <UnstyledButton
            key={group}
            className="configure-link small"
            onClick={() => {
              const heading = document.getElementById(groupId(group));
              heading?.scrollIntoView({ block: 'start' });
              heading?.focus({ preventScroll: true });
            }}
          >
            {SHORT[group] ?? GROUPS[group]}
            {wrong > 0 ? <span className="state-failed"> ✕ {wrong}</span> : null}
          </UnstyledButton>
        );
      })}
    </nav>
  );
}
