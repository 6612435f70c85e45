/** A term with its one-line explanation on the (?) beside it. */
import { ActionIcon, Tooltip } from '@mantine/core';
import { CircleQuestionMark } from 'lucide-react';

export function Hint({ about, children }: { about: string; children: string }) {
  return (
    <Tooltip label={children} events={{ hover: true, focus: true, touch: true }}>
      <ActionIcon size={16} aria-label={`What is ${about}? ${children}`} className="datasets-hint">
        <CircleQuestionMark size={12} />
      </ActionIcon>
    </Tooltip>
  );
}
