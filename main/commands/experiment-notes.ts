/** What a reader must know beside the demo's figures. */
export const experimentNotes: readonly string[] = [
  'The embedded model is a toy of about one million parameters, trained by us on worked solutions and frozen before any reinforcement learning. The figures show that the loop works; they say nothing about medicine.',
  'Much of the gain is the choice among habits that the model had learnt from its solutions: it writes products in parts more often, and leaves out restatements, plans and checks. It is not new arithmetic. The controls of "npm run demo:study" measure how much of the gain the untrained model shows when it is made to start with that habit.',
  'Arithmetic questions of the test split share no product with any training text (of the 300 dosage questions two do, in a rounded check). Questions about one product are resampled together in the intervals.',
  'Seeds vary the reinforcement learning only; the supervised checkpoint is the same.',
];
