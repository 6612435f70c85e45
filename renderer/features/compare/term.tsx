/** A term with its one-line explanation on the (?) beside it. */
import { ActionIcon, Tooltip } from '@mantine/core';
import { CircleQuestionMark } from 'lucide-react';

export function Hint({ about, children }: { about: string; children: string }) {
  return (
    <Tooltip label={children} multiline maw={360} events={{ hover: true, focus: true, touch: true }}>
      <ActionIcon size={16} variant="subtle" color="gray" aria-label={`What is ${about}? ${children}`}>
        <CircleQuestionMark size={12} aria-hidden="true" />
      </ActionIcon>
    </Tooltip>
  );
}
