/** A term with its explanation on the (?) beside it, by pointer and by keyboard. */
import { Tooltip, UnstyledButton } from '@mantine/core';

export function Help({ term, children }: { term: string; children: string }) {
  return (
    <Tooltip label={children} events={{ hover: true, focus: true, touch: true }}>
      <UnstyledButton className="models-help" aria-label={`${term}: ${children}`}>
        ?
      </UnstyledButton>
    </Tooltip>
  );
}

export function Term({ children, help }: { children: string; help: string }) {
  return (
    <span className="models-term">
      {children} <Help term={children}>{help}</Help>
    </span>
  );
}
