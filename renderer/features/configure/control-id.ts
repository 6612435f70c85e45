/** The id of a setting's control in the page: its label points there, and the focus goes there. */
export const controlId = (path: string): string => `setting-${path}`;
