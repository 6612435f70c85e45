/** What stands above the form: a file that was refused, settings that have no field, a start that failed. */
import { Alert, Button, CloseButton } from '@mantine/core';
import type { Mistake } from '../../../shared/parse-input.ts';
import type { CallFailed } from '../../rpc/client.ts';

/** Where the focus goes when only a setting without a field is wrong. */
export const ELSEWHERE = 'settings-elsewhere';

interface MessagesProps {
  refused: string | null;
  dismiss: () => void;
  notes: readonly string[];
  elsewhere: readonly Mistake[];
  remove: (path: string) => void;
  failure: CallFailed | null;
}

export function Messages({ refused, dismiss, notes, elsewhere, remove, failure }: MessagesProps) {
  return (
    <>
      {refused === null ? null : (
        <Alert color="red" variant="light" role="alert" className="configure-message">
          <div className="configure-message-row">
            <div>
              <strong>The file was not imported</strong>
              <p className="verbatim">{refused}</p>
              <p className="quiet">The form is as it was.</p>
            </div>
            <CloseButton aria-label="Close this message" onClick={dismiss} />
          </div>
        </Alert>
      )}
      {failure === null ? null : (
        <Alert color="red" variant="light" role="alert" className="configure-message">
          {failure.code === 'lost' ? (
            <>
              <strong>No reply came, and the run may have started</strong>
              <p>Press “Start run” again: it asks for the same run, and starts nothing twice.</p>
            </>
          ) : (
            <>
              <strong>The run did not start</strong>
              <p className="verbatim">{failure.message}</p>
            </>
          )}
        </Alert>
      )}
      {elsewhere.length === 0 ? null : (
        <Alert color="red" variant="light" className="configure-message">
          <strong id={ELSEWHERE} tabIndex={-1}>
            {elsewhere.length === 1 ? 'One setting has no place in the form' : `${elsewhere.length} settings have no place in the form`}
          </strong>
          <ul className="configure-elsewhere">
            {elsewhere.map(({ field, text }) => (
              <li key={text}>
                <span className="verbatim">✕ {text}</span>
                {field === '' ? null : (
                  <Button variant="default" size="compact-xs" onClick={() => remove(field)}>
                    Remove {field}
                  </Button>
                )}
              </li>
            ))}
          </ul>
        </Alert>
      )}
      {notes.length === 0 ? null : (
        <Alert color="accent" variant="light" className="configure-message">
          {notes.map((note) => (
            <p key={note}>{note}</p>
          ))}
        </Alert>
      )}
    </>
  );
}
