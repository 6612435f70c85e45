/** Something that a group of tests needs and that the machine may lack. */
export interface Requirement {
  name: string;
  /** Where it is; absent when it is missing. */
  path?: string;
  /** Why it is missing. */
  missing?: string;
}
