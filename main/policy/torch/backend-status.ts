/** Whether the PyTorch engine can compute here, and on what. */
import type { BackendStatus } from '../../../shared/backend-status.ts';
import { probeTorch, pythonProgram } from './python-program.ts';

/** Asks the Python that the engine would run in, which takes some seconds. */
export async function torchStatus(python: string = pythonProgram()): Promise<BackendStatus> {
  const what = 'PyTorch in Python: NVIDIA GPUs (cuda), the GPU of a Mac (mps), or the processor (cpu)';
  try {
    const { torch, cuda, mps, why_no_cuda } = await probeTorch(python);
    const places = [
      cuda.length > 0 ? `cuda: ${cuda.join(', ')}` : `no cuda: ${why_no_cuda ?? 'no GPU'}`,
      mps ? 'mps' : `no mps: ${process.platform === 'darwin' ? 'this PyTorch or this Mac has none' : 'this is no Mac'}`,
      'cpu',
    ];
    return { name: 'torch', what, available: true, reason: `PyTorch ${torch} in ${python} (${places.join('; ')})` };
  } catch (error) {
    return { name: 'torch', what, available: false, reason: error instanceof Error ? error.message : String(error) };
  }
}
