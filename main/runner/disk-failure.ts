/** What a disk refused, in words for whoever must act. */

const REASONS: Readonly<Record<string, { what: string; cure: string }>> = {
  ENOSPC: { what: 'the disk is full', cure: 'free some space' },
  EDQUOT: { what: 'the disk quota is used up', cure: 'free some space' },
  EROFS: { what: 'the disk is read-only', cure: 'make it writable again' },
  EACCES: { what: 'this user may not write there', cure: 'give back the permission' },
  EPERM: { what: 'this user may not write there', cure: 'give back the permission' },
  EIO: { what: 'the disk reports an error', cure: 'look at the disk' },
};

export interface DiskFailure {
  /** `the disk is full (ENOSPC: no space left on device, write)` */
  what: string;
  /** What to do about it. */
  cure: string;
}

/** Null for an error that no disk made. Looks through the causes of an error too. */
export function diskFailure(error: unknown): DiskFailure | null {
  for (let at = error; at instanceof Error; at = at.cause) {
    const known = 'code' in at && typeof at.code === 'string' ? REASONS[at.code] : undefined;
    if (known !== undefined) return { what: `${known.what} (${at.message})`, cure: known.cure };
  }
  return null;
}

/** The whole message: what the disk refused, which checkpoint is safe, and how to go on. */
export function diskMessage({ what, cure }: DiskFailure, folder: string, id: string, safeStep: number | null): string {
  const safe = safeStep === null ? 'No checkpoint was written yet' : `The checkpoint of step ${safeStep} is complete and safe`;
  return `run folder ${folder}: ${what}. ${safe}; ${cure}, then go on with: medlogictrace runs resume ${id}`;
}
