/** Routes of the window's "compare" views. */

export const compareRoutes = {} as const;
