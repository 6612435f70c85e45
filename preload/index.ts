/** The bridge into the window: one generic forwarder of frames. What may be asked is decided on the other side. */
import { contextBridge, ipcRenderer, webUtils } from 'electron';
import { FILE_CHANNEL, FRAME_CHANNEL, PORT_NAME, type Port } from '../shared/rpc/channel.ts';

const port: Port = {
  send: (frame) => ipcRenderer.send(FRAME_CHANNEL, frame),
  onFrame: (listener) => {
    ipcRenderer.on(FRAME_CHANNEL, (_event, frame: unknown) => listener(frame));
  },
  // The services live as long as the window does.
  onConnected: (listener) => listener(true),
  giveFile: (file) => ipcRenderer.invoke(FILE_CHANNEL, webUtils.getPathForFile(file)),
};

contextBridge.exposeInMainWorld(PORT_NAME, port);
