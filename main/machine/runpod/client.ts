/**
 * RunPod's REST API v2, the part that is used here; pages are those of docs.runpod.io/api-reference-v2. Lists come whole: v2 has no pages to
 * turn. There is no call for the account's balance; a create that it does not cover answers 402.
 */
import { z } from 'zod';
import {
  type Cloud,
  type CreatePodRequest,
  type GpuType,
  ListGpuTypesResponse,
  ListNetworkVolumesResponse,
  ListPodsResponse,
  type NetworkVolume,
  Pod,
  type PodAction,
  PodBilling,
  SshKeys,
} from './api-schema.ts';
import { Transport, type TransportOptions } from './transport.ts';

const part = encodeURIComponent;

/** All methods throw RunpodError, or the reason of an aborted signal. */
export class RunpodClient {
  private readonly transport: Transport;

  constructor(options: TransportOptions) {
    this.transport = new Transport(options);
  }

  /** pods/list-pods: those of the account, members of clusters left out. */
  async pods(signal?: AbortSignal): Promise<Pod[]> {
    return (await this.transport.ask({ method: 'GET', path: '/v2/pods', what: 'list pods', signal }, ListPodsResponse)).pods;
  }

  /** pods/get-a-pod; null: there is none of this id. */
  async pod(id: string, signal?: AbortSignal): Promise<Pod | null> {
    try {
      return await this.transport.ask({ method: 'GET', path: `/v2/pods/${part(id)}`, what: `look at pod ${id}`, signal }, Pod);
    } catch (error) {
      if (error instanceof Error && 'kind' in error && error.kind === 'not_found') return null;
      throw error;
    }
  }

  /** pods/create-a-pod. One attempt: `createPod` finds out what became of one whose answer was lost. */
  create(request: CreatePodRequest, signal?: AbortSignal): Promise<Pod> {
    return this.transport.ask({ method: 'POST', path: '/v2/pods', body: request, what: `create pod ${request.name}`, signal }, Pod);
  }

  /** pods/trigger-a-pod-state-transition; the pod afterwards, null after terminate (204). 409 where it is not in the state for it. */
  async act(id: string, action: PodAction, signal?: AbortSignal): Promise<Pod | null> {
    const ask = { method: 'POST', path: `/v2/pods/${part(id)}/action`, body: { action }, what: `${action} pod ${id}`, signal } as const;
    return this.transport.ask(ask, z.union([Pod, z.null()]));
  }

  /** catalog/list-gpu-types, with stock for so many GPUs on one pod. */
  async gpus(count: number, cloud: Cloud, signal?: AbortSignal): Promise<GpuType[]> {
    const query = { include: 'AVAILABILITY', product: 'POD', count: String(count), cloud };
    return (
      await this.transport.ask({ method: 'GET', path: '/v2/catalog/gpus', query, what: 'list GPU types', signal }, ListGpuTypesResponse)
    ).gpus;
  }

  /** account/list-registered-ssh-public-keys */
  async sshKeys(signal?: AbortSignal): Promise<string[]> {
    return (await this.transport.ask({ method: 'GET', path: '/v2/account/ssh-keys', what: 'read the account’s SSH keys', signal }, SshKeys))
      .keys;
  }

  /** account/replace-registered-ssh-public-keys: ALL keys are replaced. Use `registerSshKey`. */
  async replaceSshKeys(keys: readonly string[], signal?: AbortSignal): Promise<string[]> {
    const ask = { method: 'PUT', path: '/v2/account/ssh-keys', body: { keys }, what: 'register an SSH key', signal } as const;
    return (await this.transport.ask(ask, SshKeys)).keys;
  }

  /** network-volumes/list-network-volumes */
  async volumes(signal?: AbortSignal): Promise<NetworkVolume[]> {
    const ask = { method: 'GET', path: '/v2/network-volumes', what: 'list network volumes', signal } as const;
    return (await this.transport.ask(ask, ListNetworkVolumesResponse)).networkVolumes;
  }

  /** billing/get-pod-billing-history: USD billed for a pod from `since` (RFC 3339) on, and until when that is counted. */
  async billed(id: string, since: string, signal?: AbortSignal): Promise<{ usd: number; until: string }> {
    const query = { podId: id, startTime: since, bucketSize: 'hour' };
    const ask = { method: 'GET', path: '/v2/billing/pods', query, what: `read what pod ${id} has cost`, signal } as const;
    const { metadata } = await this.transport.ask(ask, PodBilling);
    return { usd: metadata.totals.totalAmount, until: metadata.query.endTime };
  }
}
