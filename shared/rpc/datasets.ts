/** Routes and topics of the window's "datasets" view. */

export const datasetsRoutes = {} as const;

export const datasetsTopics = {} as const;
