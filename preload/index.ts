/** The bridge into the window: one function that forwards a call. What may be called is decided on the other side. */
import { contextBridge, ipcRenderer } from 'electron';
import { BRIDGE_NAME, type Bridge, RPC_CHANNEL } from '../shared/rpc/channel.ts';

const bridge: Bridge = {
  call: (route, input) => ipcRenderer.invoke(RPC_CHANNEL, route, input),
};

contextBridge.exposeInMainWorld(BRIDGE_NAME, bridge);
