/** When Home was opened last, before this page was loaded. */
import { useEffect, useState } from 'react';
import { call } from '../../rpc/client.ts';

/** Asked once a page: going to another view and back is still the same look. */
let asked: Promise<string | null> | null = null;

/** Null the first time, while it is asked for, and where it could not be remembered. */
export function useLastLook(): string | null {
  const [before, setBefore] = useState<string | null>(null);
  useEffect(() => {
    let over = false;
    asked ??= call('app.look', {}).then(
      (answer) => answer.before,
      () => {
        // Nothing is lost but the mark "new"; the next visit asks again.
        asked = null;
        return null;
      },
    );
    void asked.then((look) => {
      if (!over) setBefore(look);
    });
    return () => {
      over = true;
    };
  }, []);
  return before;
}
