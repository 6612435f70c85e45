/** Routes of the window's "settings" views. */

export const settingsRoutes = {} as const;
