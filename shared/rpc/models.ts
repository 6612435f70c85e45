/** Routes and topics of the window's "models" view. */

export const modelsRoutes = {} as const;

export const modelsTopics = {} as const;
