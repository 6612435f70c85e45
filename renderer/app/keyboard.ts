/** Keys as this platform names them. */
export const isMac: boolean = /Mac|iPhone|iPad/.test(navigator.platform);
/** Written before a letter: `⌘K` or `Ctrl K`. */
export const MODIFIER: string = isMac ? '⌘' : 'Ctrl ';

/** Whether keys typed now belong to a text field. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}
