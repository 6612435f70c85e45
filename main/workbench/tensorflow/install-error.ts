/** Why a backend could not be installed: one message with what to do. Nothing of the attempt is left but finished downloads. */
export class InstallError extends Error {
  override name = 'InstallError';
}
