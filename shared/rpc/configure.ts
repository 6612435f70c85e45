/** Routes of the window's "configure" views. */

export const configureRoutes = {} as const;
