/**
 * What RunPod's REST API v2 answers, as far as it is used here: from `api-reference-v2/openapi.json` of github.com/runpod/docs (a900806e,
 * 20 August 2026). Each schema is named as there. Fields that nobody reads are left out, and a pod's `env`, which may hold secrets, above all.
 */
import { z } from 'zod';

/** RFC 9457, `ErrorResponse`: `application/problem+json` of every answer that is no success. */
export const ErrorResponse = z.object({
  title: z.string(),
  status: z.number(),
  detail: z.string(),
  /** What a 422 found wrong, one by one. */
  errors: z.array(z.string()).optional(),
});
export type ErrorResponse = z.infer<typeof ErrorResponse>;

export const PodAction = z.enum(['start', 'stop', 'restart', 'terminate']);
export type PodAction = z.infer<typeof PodAction>;

const KNOWN_STATUS = ['PROVISIONING', 'STARTING', 'RUNNING', 'EXITED', 'ERROR', 'TERMINATED'] as const;
/** `PodStatus`; one that the API learns later must not hide the list of pods, and with it the way to stop them. */
export const PodStatus = z.enum(KNOWN_STATUS).or(z.string().transform(() => 'UNKNOWN' as const));
export type PodStatus = z.infer<typeof PodStatus>;

export const Cloud = z.enum(['SECURE', 'COMMUNITY']);
export type Cloud = z.infer<typeof Cloud>;

const PodSshEndpoint = z.object({ host: z.string().min(1), port: z.number().int().min(1).max(65_535), username: z.string().min(1) });

export const Pod = z.object({
  id: z.string().min(1),
  name: z.string(),
  status: PodStatus,
  /** What may be asked in this state. */
  actions: z.array(z.string()),
  image: z.string(),
  /** Container disk in GB: "ephemeral, wiped on restart". */
  disk: z.number(),
  mounts: z.object({
    persistent: z.object({ size: z.number(), path: z.string() }).optional(),
    network: z.array(z.object({ volumeId: z.string(), path: z.string() })).optional(),
  }),
  /** Absent for pods without a GPU. */
  gpu: z.object({ id: z.string(), count: z.number().int().default(1) }).optional(),
  cloud: Cloud,
  dataCenterId: z.string().nullable(),
  cudaVersion: z.string().nullable(),
  /** `direct` is null until 22/tcp has a public port, and while the pod is stopped; the proxy carries an interactive shell only. */
  ssh: z.object({ proxy: PodSshEndpoint.nullable(), direct: PodSshEndpoint.nullable() }),
  /** USD an hour; 0 when EXITED or TERMINATED. */
  cost: z.number().min(0),
  /** Cannot be stopped or reset. */
  locked: z.boolean(),
  runtime: z
    .object({
      /** Seconds since the container started. */
      uptime: z.number().optional(),
      gpus: z.array(z.object({ util: z.number().optional(), memoryUtil: z.number().optional() })).optional(),
    })
    .nullable(),
  createdAt: z.string(),
  startedAt: z.string().nullable(),
});
export type Pod = z.infer<typeof Pod>;

export const ListPodsResponse = z.object({ pods: z.array(Pod) });

export const AvailabilityLevel = z.enum(['NONE', 'LOW', 'MEDIUM', 'HIGH']);
export type AvailabilityLevel = z.infer<typeof AvailabilityLevel>;

export const GpuType = z.object({
  id: z.string().min(1),
  name: z.string(),
  manufacturer: z.string(),
  /** GB. */
  memory: z.number(),
  secure: z.boolean(),
  community: z.boolean(),
  /** USD an hour for one GPU; what a pod is billed stands in its `cost`. */
  price: z.object({ secure: z.number().min(0), community: z.number().min(0) }),
  /** The largest machine of this type: a ceiling, no stock. */
  maxCount: z.object({ secure: z.number(), community: z.number() }),
  /** Only with include=AVAILABILITY&product=…; for the `count` and `cloud` asked for. */
  availability: AvailabilityLevel.optional(),
  dataCenters: z.array(z.object({ id: z.string(), name: z.string(), availability: AvailabilityLevel })).optional(),
});
export type GpuType = z.infer<typeof GpuType>;

export const ListGpuTypesResponse = z.object({ gpus: z.array(GpuType) });

export const SshKeys = z.object({ keys: z.array(z.string()) });

export const NetworkVolume = z.object({
  id: z.string().min(1),
  name: z.string(),
  /** GB. */
  size: z.number(),
  dataCenter: z.string(),
  type: z.string(),
});
export type NetworkVolume = z.infer<typeof NetworkVolume>;

export const ListNetworkVolumesResponse = z.object({ networkVolumes: z.array(NetworkVolume) });

/** `ListPodBillingResponse`; the total of the whole window is all that is read. */
export const PodBilling = z.object({
  metadata: z.object({
    query: z.object({ startTime: z.string(), endTime: z.string() }),
    totals: z.object({ totalAmount: z.number() }),
  }),
});

/** `CreatePodRequest`, the part that is asked for here. */
export interface CreatePodRequest {
  name: string;
  image: string;
  gpu: { id: string; count: number; minCudaVersion?: string };
  cloud: Cloud;
  /** GB. */
  disk: number;
  dataCenterIds?: string[];
  mounts?: { network: [{ volumeId: string; path: string }] };
  ports: string[];
  /** "Arguments passed to the container entrypoint": the start command. */
  args?: string;
  env: Record<string, string>;
  startSsh: true;
}
